-- name: job_token_mint
-- $1 project, $2 username, $3 digest, $4 name, $5 seconds to live, $6 pipeline, $7 job, $8 its URL, $9
-- ref, $10 commit, $8 to $10 may be null, $11 handle or ''.  A CI system runs this for a member of the
-- project, by members_user; no row for other users.  Primary key of projects,
-- users_username.
INSERT INTO tokens (kind, source, user_id, project_id, digest, name, scopes, expires_at, pipeline, job,
       job_url, ref, commit, handle)
SELECT 'job', 'service', u.id, p.id, $3::bytea, $4::text, '{}', now() + make_interval(secs => $5::integer),
       $6::bigint, $7::bigint, $8::text, $9::text, $10::text, nullif($11::text, '')
  FROM projects p JOIN groups g ON g.id = p.group_id, users u
 WHERE p.id = $1 AND lower(u.username) = lower($2) AND u.state = 'active'
   AND EXISTS (SELECT FROM members m
                WHERE m.user_id = u.id AND (m.project_id = p.id OR m.group_id = ANY (g.ancestor_ids))
                  AND (m.expires_at IS NULL OR m.expires_at > now()))
RETURNING id, true AS changed, extract(epoch FROM expires_at)::bigint AS expires_at;

-- name: job_token_end
-- $1 project, $2 token.  One row by the primary key, locked before it is read; only tokens that a CI
-- system has created for that project.
WITH old AS (SELECT id, revoked_at FROM tokens
              WHERE id = $2 AND project_id = $1 AND source = 'service' FOR UPDATE),
     ended AS (UPDATE tokens t SET revoked_at = now() FROM old
                WHERE t.id = old.id AND old.revoked_at IS NULL)
SELECT id, revoked_at IS NULL AS changed FROM old;

-- name: job_of_token
-- $1 token.  One row by the primary key, user and project by theirs.
SELECT t.job, t.pipeline, t.name, t.job_url, t.ref, t.commit, t.issuer,
       extract(epoch FROM t.created_at)::bigint AS created_at,
       extract(epoch FROM t.expires_at)::bigint AS expires_at,
       u.id AS user_id, u.username, u.name AS user_name, p.id AS project_id, p.full_path AS project
  FROM tokens t
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN projects p ON p.id = t.project_id
 WHERE t.id = $1 AND t.kind = 'job';
