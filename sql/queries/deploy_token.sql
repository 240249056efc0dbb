-- name: deploy_token_list
-- $1 project or null, $2 group or null, $3 token or null for all, $4 true for valid tokens, false for the
-- others, null for all.  By tokens_deploy_project or tokens_deploy_group: a project or group has few.
SELECT t.id, t.name, t.login, array_to_string(t.scopes, ',') AS scopes,
       to_char(t.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS expires_at,
       t.revoked_at IS NOT NULL AS revoked, coalesce(t.expires_at <= now(), false) AS expired
  FROM tokens t
 WHERE t.kind = 'deploy' AND (t.project_id = $1::bigint OR t.group_id = $2::bigint)
   AND ($3::bigint IS NULL OR t.id = $3)
   AND ($4::boolean IS NULL
        OR $4 = (t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())))
 ORDER BY t.id
 LIMIT 10000;

-- name: deploy_token_revoke
-- $1 project or null, $2 group or null, $3 token.  One row by primary key, locked before it is read; a
-- token that is already revoked keeps its time.
WITH old AS (SELECT id, revoked_at FROM tokens
              WHERE id = $3 AND kind = 'deploy' AND (project_id = $1::bigint OR group_id = $2::bigint)
                FOR UPDATE),
     ended AS (UPDATE tokens t SET revoked_at = now() FROM old
                WHERE t.id = old.id AND old.revoked_at IS NULL)
SELECT id, revoked_at IS NULL AS changed FROM old;
