-- name: gitlab_ask
-- $1 digest of a credential.  Was it refused of late or revoked; is GitLab known to be away, to be
-- tried again by whoever claims it (null: it is not); and has GitLab vouched for it before, and not refused
-- it since?  Look-ups by primary keys and the unique index tokens_digest_key.
SELECT EXISTS (SELECT FROM refused_job_tokens WHERE digest = $1 AND until_at > now())
           OR EXISTS (SELECT FROM tokens WHERE digest = $1 AND revoked_at IS NOT NULL),
       (SELECT until_at > now() FROM ci_outages WHERE system = 'gitlab'),
       EXISTS (SELECT FROM tokens WHERE digest = $1 AND source = 'gitlab')
           AND NOT EXISTS (SELECT FROM refused_job_tokens WHERE digest = $1);

-- name: gitlab_try
-- $1 seconds.  GitLab was away: of all workers that come now the first gets the row and tries whether
-- it still is, the others go on as if.  By the primary key.
UPDATE ci_outages SET until_at = now() + make_interval(secs => $1::integer)
 WHERE system = 'gitlab' AND until_at <= now()
RETURNING system;

-- name: gitlab_set_away
-- $1 seconds for which nobody asks.  By the primary key.
INSERT INTO ci_outages (system, until_at) VALUES ('gitlab', now() + make_interval(secs => $1::integer))
    ON CONFLICT (system) DO UPDATE SET until_at = excluded.until_at;

-- name: gitlab_set_back
-- By the primary key; a table of no row but while GitLab is away.
DELETE FROM ci_outages WHERE system = 'gitlab';

-- name: gitlab_refuse
-- $1 digest, $2 seconds.  By the primary key.  Up to 8 that are past their time go, by
-- refused_job_tokens_until; nobody waits for those.
WITH swept AS (
	DELETE FROM refused_job_tokens WHERE digest = ANY (ARRAY(
	       SELECT o.digest FROM refused_job_tokens o
	        WHERE o.until_at < now() AND o.digest <> $1::bytea
	        ORDER BY o.until_at LIMIT 8 FOR UPDATE SKIP LOCKED))
)
INSERT INTO refused_job_tokens (digest, until_at) VALUES ($1, now() + make_interval(secs => $2::integer))
    ON CONFLICT (digest) DO UPDATE SET until_at = excluded.until_at;

-- name: gitlab_admit
-- $1 digest, $2 username, $3 id of the project or null, $4 its full path, $5 seconds until GitLab is
-- asked again, $6 address of that GitLab, $7 name, $8 pipeline, $9 job, $10 its URL, $11 ref, $12 commit.
-- Unique indexes users_username, projects_full_path and tokens_digest_key.  A token that is known is
-- good for longer, unless it was revoked; no row for such a one, or where user or project is missing.
INSERT INTO tokens AS t (kind, digest, source, issuer, name, user_id, project_id, scopes, expires_at,
       checked_until, pipeline, job, job_url, ref, commit)
SELECT 'job', $1::bytea, 'gitlab', $6::text, $7::text, u.id, p.id, '{}', now() + interval '30 days',
       now() + make_interval(secs => $5::integer), $8::bigint, $9::bigint, $10::text, $11::text, $12::text
  FROM users u, projects p
 WHERE lower(u.username) = lower($2) AND u.state = 'active'
   AND (p.id = $3 OR ($3::bigint IS NULL AND lower(p.full_path) = lower($4)))
    ON CONFLICT (digest) DO UPDATE SET checked_until = excluded.checked_until
       WHERE t.source = 'gitlab' AND t.revoked_at IS NULL AND t.user_id = excluded.user_id
         AND t.project_id = excluded.project_id
RETURNING t.id, t.xmax = 0, t.project_id;
