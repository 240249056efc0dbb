-- name: user_add
-- $1 username, $2 name, $3 e-mail, $4 administrator.  No row if the name exists, in any case: the unique
-- index users_username decides.
INSERT INTO users (username, name, email, is_admin) VALUES ($1, $2, $3, $4)
    ON CONFLICT (lower(username)) DO NOTHING
RETURNING id, true AS changed;

-- name: user_set_state
-- $1 username, $2 state, $3 whether the last active administrator must stay.  One row by the unique index
-- users_username, locked before it is read, so that only one of several sessions that set the same state
-- changes it.  If an administrator must stay, all active administrators are locked first, in their order,
-- so that two sessions that block the last two wait for each other: a scan of a small table.
WITH admins AS MATERIALIZED (
	SELECT id FROM users WHERE $3::boolean AND $2 <> 'active' AND is_admin AND state = 'active'
	 ORDER BY id FOR UPDATE
), old AS MATERIALIZED (
	SELECT id, state FROM users
	 WHERE lower(username) = lower($1) AND (SELECT count(*) FROM admins) >= 0 FOR UPDATE
), judged AS MATERIALIZED (
	SELECT id, state, coalesce((SELECT array_agg(a.id) FROM admins a) = ARRAY[id], false) AS is_last FROM old
), written AS (
	UPDATE users u SET state = $2 FROM judged j WHERE u.id = j.id AND NOT j.is_last
)
SELECT id, state <> $2 AND NOT is_last AS changed, is_last FROM judged;

-- name: user_set
-- $1 username, $2 name, $3 e-mail and $4 administrator, each null for no change, $5 whether the last
-- active administrator must stay one.  Locks as user_set_state, for the same reasons.
WITH admins AS MATERIALIZED (
	SELECT id FROM users WHERE $5::boolean AND NOT coalesce($4::boolean, true) AND is_admin AND state = 'active'
	 ORDER BY id FOR UPDATE
), old AS MATERIALIZED (
	SELECT id, name, email, is_admin FROM users
	 WHERE lower(username) = lower($1) AND (SELECT count(*) FROM admins) >= 0 FOR UPDATE
), judged AS MATERIALIZED (
	SELECT id, name, email, is_admin, coalesce($2, name) AS new_name, coalesce($3, email) AS new_email,
	       coalesce($4::boolean, is_admin) AS new_admin,
	       coalesce((SELECT array_agg(a.id) FROM admins a) = ARRAY[id], false) AS is_last FROM old
), written AS (
	UPDATE users u SET name = new_name, email = new_email, is_admin = new_admin
	  FROM judged j WHERE u.id = j.id AND NOT j.is_last
)
SELECT id, (name, email, is_admin) <> (new_name, new_email, new_admin) AND NOT is_last AS changed, is_last
  FROM judged;

-- name: user_find
-- $1 username.  One row by the unique index users_username.
SELECT id, state = 'active' AS is_active FROM users WHERE lower(username) = lower($1);

-- part: user_columns
-- A user in the form of berth(1).
id, username, name, email, is_admin, state, extract(epoch FROM created_at)::bigint AS created_at

-- name: user_all
-- All users, for `berth apply` and `berth restore`: by primary key.
SELECT @user_columns FROM users ORDER BY id;

-- name: user_list
-- The same, for an administrator at a terminal.
DECLARE listing NO SCROLL CURSOR WITH HOLD FOR SELECT @user_columns FROM users ORDER BY id;

-- name: user_entry
-- $1 user, in the form that clients see; by primary key.
SELECT id, username, name, email, is_admin, state,
       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at
  FROM users WHERE id = $1;
