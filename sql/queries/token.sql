-- name: token_add_personal
-- $1 username, $2 digest, $3 name, $4 scopes, $5 end as seconds since 1970 or null.  No row where
-- there is no such user (unique index users_username).
INSERT INTO tokens (kind, user_id, digest, name, scopes, expires_at)
SELECT 'personal', id, $2, $3, $4, to_timestamp($5::bigint) FROM users WHERE lower(username) = lower($1)
RETURNING id, true;

-- name: token_revoke
-- $1 id or null, $2 digest or null.  One row by primary key or unique index, locked before it is
-- looked at.  A token that is revoked already keeps the time at which it was.
WITH old AS (SELECT id, revoked_at FROM tokens WHERE id = $1 OR digest = $2 FOR UPDATE)
UPDATE tokens t SET revoked_at = coalesce(t.revoked_at, now()) FROM old WHERE t.id = old.id
RETURNING t.id, old.revoked_at IS NULL;

-- name: token_list
-- $1 user or null for all.  For an administrator at a terminal: a scan, or the index tokens_user.
SELECT t.id, t.kind, u.username, t.name, array_to_string(t.scopes, ','),
       extract(epoch FROM t.created_at)::bigint, extract(epoch FROM t.expires_at)::bigint,
       extract(epoch FROM t.revoked_at)::bigint, extract(epoch FROM t.last_used_at)::bigint
  FROM tokens t
  LEFT JOIN users u ON u.id = t.user_id
 WHERE $1::bigint IS NULL OR t.user_id = $1
 ORDER BY t.id;
