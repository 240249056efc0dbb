-- name: session_link_add
-- $1 username, $2 digest, $3 seconds to live.  No row if the user does not exist or is blocked (unique
-- index users_username).
INSERT INTO sign_in_links (digest, user_id, expires_at)
SELECT $2, id, now() + make_interval(secs => $3::integer)
  FROM users WHERE lower(username) = lower($1) AND state = 'active'
RETURNING user_id AS id, true AS changed;

-- name: session_link_find
-- $1 digest.  One row by primary key, and its user by primary key; as session_link_take, but the link
-- stays.
SELECT u.username
  FROM sign_in_links l JOIN users u ON u.id = l.user_id
 WHERE l.digest = $1 AND l.expires_at > now() AND u.state = 'active';

-- name: session_link_take
-- $1 digest.  Removes one row by primary key: if two callers use one link, one of them finds it.  No row
-- if the link has expired or its user is blocked.
DELETE FROM sign_in_links l USING users u
 WHERE l.digest = $1 AND l.expires_at > now() AND u.id = l.user_id AND u.state = 'active'
RETURNING u.id;

-- name: session_user
-- $1 username.  One row by the unique index users_username.
SELECT id, username FROM users WHERE lower(username) = lower($1) AND state = 'active';

-- name: session_add
-- $1 digest, $2 user, $3 whether single sign-on has named the user, $4 seconds to live.  One row; if two
-- forms of one page are sent at once, the first creates it.
INSERT INTO sessions (digest, user_id, by_sso, expires_at)
VALUES ($1, $2, $3, now() + make_interval(secs => $4::integer))
    ON CONFLICT (digest) DO NOTHING;

-- name: session_sweep
-- Removes sessions and links that have expired: ranges of sessions_expires and sign_in_links_expires,
-- whenever somebody signs in.
WITH links AS (DELETE FROM sign_in_links WHERE expires_at <= now())
DELETE FROM sessions WHERE expires_at <= now();

-- name: session_find
-- $1 digest or null.  Always one row: the session by primary key, and its user by primary key, or nulls; a
-- blocked user has no session.  Also the flags for all projects, by feature_flags_all, which switch pages
-- on or off.  OFFSET 0 hides the digest from the planner; otherwise it would plan anew for each null.
SELECT u.id, u.username, s.by_sso, @flags_for_all AS flags
  FROM (SELECT $1::bytea AS digest OFFSET 0) q
  LEFT JOIN (sessions s JOIN users u ON u.id = s.user_id AND u.state = 'active')
    ON s.digest = q.digest AND s.expires_at > now();

-- name: session_remove
-- $1 digest.  One row by primary key.
DELETE FROM sessions WHERE digest = $1 RETURNING user_id;

-- name: session_token_revoke
-- $1 user, $2 token.  One row by primary key, if the token belongs to the user; locked before it is read.
-- As token_revoke.
WITH old AS (SELECT id, revoked_at FROM tokens
              WHERE id = $2 AND user_id = $1 AND kind = 'personal' FOR UPDATE),
     ended AS (UPDATE tokens t SET revoked_at = now() FROM old
                WHERE t.id = old.id AND old.revoked_at IS NULL)
SELECT id, revoked_at IS NULL AS changed FROM old;

-- name: session_tokens
-- $1 user.  The valid tokens of the user, newest first: the index tokens_user.
SELECT id, name, array_to_string(scopes, ',') AS scopes, array_to_string(crate_patterns, ',') AS crates,
       array_to_string(operations, ',') AS operations, extract(epoch FROM created_at)::bigint AS created_at,
       extract(epoch FROM expires_at)::bigint AS expires_at,
       extract(epoch FROM last_used_at)::bigint AS last_used_at
  FROM tokens
 WHERE user_id = $1 AND kind = 'personal' AND revoked_at IS NULL
   AND (expires_at IS NULL OR expires_at > now())
 ORDER BY id DESC;
