-- name: personal_token_list
-- $1 user, $2 token or null for all, $3 true for revoked tokens, false for the others, null for all, $4
-- the same for valid tokens, $5 part of a name or null.  By the index tokens_user: a user has few.
SELECT t.id, t.name, array_to_string(t.scopes, ',') AS scopes, t.user_id,
       to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
       to_char(t.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS expires_at,
       to_char(t.last_used_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS last_used_at,
       t.revoked_at IS NOT NULL AS revoked,
       t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now()) AS active,
       array_to_string(t.crate_patterns, ',') AS crates, array_to_string(t.operations, ',') AS operations
  FROM tokens t
 WHERE t.kind = 'personal' AND t.user_id = $1 AND ($2::bigint IS NULL OR t.id = $2)
   AND ($3::boolean IS NULL OR $3 = (t.revoked_at IS NOT NULL))
   AND ($4::boolean IS NULL
        OR $4 = (t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())))
   AND ($5::text IS NULL OR position(lower($5) IN lower(t.name)) > 0)
 ORDER BY t.id DESC
 LIMIT 10000;

-- name: personal_token_owner
-- $1 token.  By primary key.
SELECT user_id FROM tokens WHERE id = $1 AND kind = 'personal';

-- name: personal_token_revoke
-- $1 user, $2 token.  One row by primary key, locked before it is read; a token that is already revoked
-- keeps its time.
WITH old AS (SELECT id, revoked_at FROM tokens
              WHERE id = $2 AND kind = 'personal' AND user_id = $1 FOR UPDATE),
     ended AS (UPDATE tokens t SET revoked_at = now() FROM old
                WHERE t.id = old.id AND old.revoked_at IS NULL)
SELECT id, revoked_at IS NULL AS changed FROM old;

-- name: personal_token_lock
-- $1 token.  Its end, and its user's row, which stays locked: so rotations of one user's tokens run
-- one after the other, and the next statement sees their results.  Two look-ups by primary keys.
SELECT floor(extract(epoch FROM t.expires_at))::bigint AS expires_at
  FROM tokens t JOIN users u ON u.id = t.user_id
 WHERE t.id = $1 AND t.kind = 'personal'
   FOR NO KEY UPDATE OF u;

-- name: personal_token_rotate
-- $1 user (locked), $2 token, $3 digest of the new one, $4 its end as seconds since 1970, $5 its handle or
-- ''.  Ends the old row, by primary key and locked, and creates the new one with the same rights and
-- family.  Returns no row if the old token is no longer valid.
WITH old AS (SELECT * FROM tokens
              WHERE id = $2 AND kind = 'personal' AND user_id = $1 AND revoked_at IS NULL
                AND (expires_at IS NULL OR expires_at > now()) FOR UPDATE),
     ended AS (UPDATE tokens t SET revoked_at = now(), family = coalesce(t.family, t.id)
                 FROM old WHERE t.id = old.id)
INSERT INTO tokens (kind, digest, name, user_id, scopes, expires_at, crate_patterns, operations, family,
       handle)
SELECT kind, $3, name, user_id, scopes, to_timestamp($4::bigint), crate_patterns, operations,
       coalesce(family, id), nullif($5::text, '')
  FROM old
RETURNING id, true AS changed;

-- part: personal_token_shown
-- $1 token that a caller has sent.  A row if it was replaced and its own end has not come: by primary key.
-- token_sweep leaves the row until then.
SELECT id, family FROM tokens
 WHERE id = $1 AND revoked_at IS NOT NULL AND family IS NOT NULL
   AND (expires_at IS NULL OR expires_at > now())

-- name: personal_token_find_successor
-- $1 token.  The valid token that replaced it, directly or not: by tokens_family.  Asked first, since
-- mostly there is none.
WITH shown AS (@personal_token_shown)
SELECT t.id FROM tokens t JOIN shown s ON t.family = s.family AND t.id > s.id AND t.revoked_at IS NULL;

-- name: personal_token_end_successor
-- Ends the token that personal_token_find_successor finds, of which there is at most one; the user is
-- locked.
WITH shown AS (@personal_token_shown)
UPDATE tokens t SET revoked_at = now() FROM shown s
 WHERE t.family = s.family AND t.id > s.id AND t.revoked_at IS NULL
RETURNING t.id, true AS changed;
