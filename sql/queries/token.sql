-- name: token_add_personal
-- $1 username, $2 digest, $3 name, $4 scopes, $5 end as seconds since 1970 or null, $6 patterns of
-- crates and $7 operations, each null for no limit, $8 handle or ''.  No row if the user does not exist
-- (unique index users_username).
INSERT INTO tokens (kind, user_id, digest, name, scopes, expires_at, crate_patterns, operations, handle)
SELECT 'personal', id, $2, $3, $4, to_timestamp($5::bigint), $6, $7, nullif($8::text, '')
  FROM users WHERE lower(username) = lower($1)
RETURNING id, true AS changed;

-- name: token_add_deploy
-- $1 full path of a group or project, $2 digest, $3 name, $4 scopes, $5 end as seconds since 1970 or null,
-- $6 user name for HTTP Basic or null, $7 handle or ''.  No row if neither exists; a path belongs to only
-- one of them.  Unique indexes groups_full_path and projects_full_path.
INSERT INTO tokens (kind, group_id, project_id, digest, name, scopes, expires_at, login, handle)
SELECT 'deploy', g.id, p.id, $2, $3, $4, to_timestamp($5::bigint), $6, nullif($7::text, '')
  FROM (SELECT $1::text AS path) q
  LEFT JOIN groups g ON lower(g.full_path) = lower(q.path)
  LEFT JOIN projects p ON lower(p.full_path) = lower(q.path)
 WHERE g.id IS NOT NULL OR p.id IS NOT NULL
RETURNING id, true AS changed;

-- name: token_add_job
-- $1 username, $2 full path of a project, $3 digest, $4 name, $5 seconds to live, $6 pipeline, $7 job,
-- $8 its URL, $9 ref, $10 commit, these three or null, $11 handle or ''.  The database's clock sets the end.
-- No row if user or project is missing (unique indexes users_username, projects_full_path).
INSERT INTO tokens (kind, user_id, project_id, digest, name, scopes, expires_at, pipeline, job,
       job_url, ref, commit, handle)
SELECT 'job', u.id, p.id, $3, $4, '{}', now() + make_interval(secs => $5::integer), $6, $7, $8, $9, $10,
       nullif($11::text, '')
  FROM users u, projects p
 WHERE lower(u.username) = lower($1) AND lower(p.full_path) = lower($2)
RETURNING id, true AS changed, extract(epoch FROM expires_at)::bigint AS expires_at;

-- name: token_revoke
-- $1 id or null, $2 digest or null.  One row by primary key or unique index, locked before it is
-- read.  A revoked token keeps the time of its revocation: a repetition writes nothing, and so ends nobody's
-- grants.
WITH old AS (SELECT id, revoked_at FROM tokens WHERE id = $1 OR digest = $2 FOR UPDATE),
     ended AS (UPDATE tokens t SET revoked_at = now() FROM old
                WHERE t.id = old.id AND old.revoked_at IS NULL)
SELECT id, revoked_at IS NULL AS changed FROM old;

-- name: token_list
-- $1 user or null for all.  For an administrator at a terminal: a scan, or the index tokens_user.
DECLARE listing NO SCROLL CURSOR WITH HOLD FOR
SELECT t.id, t.kind, u.username, t.name, array_to_string(t.scopes, ',') AS scopes,
       extract(epoch FROM t.created_at)::bigint AS created_at,
       extract(epoch FROM t.expires_at)::bigint AS expires_at,
       extract(epoch FROM t.revoked_at)::bigint AS revoked_at,
       extract(epoch FROM t.last_used_at)::bigint AS last_used_at,
       coalesce(g.full_path, p.full_path) AS namespace, array_to_string(t.crate_patterns, ',') AS crates,
       array_to_string(t.operations, ',') AS operations, t.pipeline, t.job, t.job_url, t.ref, t.commit,
       left(t.handle, 2) AS slot
  FROM tokens t
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN groups g ON g.id = t.group_id
  LEFT JOIN projects p ON p.id = t.project_id
 WHERE $1::bigint IS NULL OR t.user_id = $1
 ORDER BY t.id;

-- name: token_exists
-- $1 token.  One row: whether it is there.  By primary key.
SELECT EXISTS (SELECT FROM tokens WHERE id = $1) AS found;

-- name: token_sweep
-- $1 token, $2 how many, $3 seconds.  Visits the next tokens after $1 by id and removes those that ended
-- $3 seconds ago and that no record needs: no version was published with them, by versions_token; and a
-- token of a job, project or group has left no row in the audit log, by audit_events_token, since only the
-- token's row tells which job, project or group it was.  A user's own token may have left rows: the log
-- has the user.  OFFSET 0 keeps PostgreSQL 13 from reading all of the log at once.  Some tokens stay until
-- their own end: one that was replaced, so that its reuse is noticed, and one whose text another system has
-- made, since Berth would make its row again.  One row: the last token that was visited, or null, and how
-- many were removed.
WITH page AS MATERIALIZED (
	SELECT t.id, t.kind, CASE WHEN t.family IS NULL AND coalesce(t.source NOT IN ('id_token', 'gitlab'), true)
	                          THEN least(t.revoked_at, t.expires_at)
	                          ELSE greatest(t.revoked_at, coalesce(t.expires_at, 'infinity')) END AS ended_at
	  FROM tokens t WHERE t.id > $1 ORDER BY t.id LIMIT $2::bigint
), removed AS (
	DELETE FROM tokens WHERE id = ANY (ARRAY(
	       SELECT p.id FROM page p
	        WHERE p.ended_at < now() - $3::bigint * interval '1 second'
	          AND NOT EXISTS (SELECT FROM versions v WHERE v.token_id = p.id)
	          AND (p.kind = 'personal'
	               OR NOT EXISTS (SELECT FROM audit_events e WHERE e.token_id = p.id OFFSET 0))))
	RETURNING id
)
SELECT (SELECT max(id) FROM page) AS last, (SELECT count(*) FROM removed) AS removed;
