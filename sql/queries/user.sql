-- name: user_add
-- $1 username, $2 name, $3 e-mail, $4 administrator.  No row where the name is taken, in whatever
-- case: the unique index users_username decides.
INSERT INTO users (username, name, email, is_admin) VALUES ($1, $2, $3, $4)
    ON CONFLICT (lower(username)) DO NOTHING
RETURNING id, true AS changed;

-- name: user_set_state
-- $1 username, $2 state.  One row by the unique index users_username, locked before it is looked
-- at, so that of several who set the same state one has changed it.
WITH old AS (SELECT id, state FROM users WHERE lower(username) = lower($1) FOR UPDATE)
UPDATE users u SET state = $2 FROM old WHERE u.id = old.id RETURNING u.id, old.state <> $2 AS changed;

-- name: user_find
-- $1 username.  One row by the unique index users_username.
SELECT id FROM users WHERE lower(username) = lower($1);

-- name: user_list
-- All users, for an administrator at a terminal: a scan of a small table, sorted in memory.
SELECT id, username, name, email, is_admin, state, extract(epoch FROM created_at)::bigint AS created_at
  FROM users ORDER BY id;

-- name: user_entry
-- $1 user.  As clients see it, by primary key.
SELECT id, username, name, email, is_admin, state,
       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at
  FROM users WHERE id = $1;
