-- name: gitlab_ask
-- $1 digest of a credential.  refused: GitLab refused it within the last minute, or it was revoked here.
-- away: null if GitLab answers; true if it did not answer and nobody asks it for now; false if that pause is
-- over, and gitlab_try decides who asks.  vouched: GitLab has confirmed the token, and has not refused it
-- since.  Look-ups by primary keys and the unique index tokens_digest_key.
SELECT EXISTS (SELECT FROM refused_job_tokens WHERE digest = $1 AND until_at > now())
           OR EXISTS (SELECT FROM tokens WHERE digest = $1 AND revoked_at IS NOT NULL) AS refused,
       (SELECT until_at > now() FROM ci_outages WHERE system = 'gitlab') AS away,
       EXISTS (SELECT FROM tokens WHERE digest = $1 AND source = 'gitlab')
           AND NOT EXISTS (SELECT FROM refused_job_tokens WHERE digest = $1) AS vouched;

-- name: gitlab_try
-- $1 seconds.  GitLab did not answer before: the first worker tries again, and the others assume that GitLab
-- still does not answer.  True also if the outage is over by now.  By the primary key.
WITH turn AS (
	UPDATE ci_outages SET until_at = now() + make_interval(secs => $1::integer)
	 WHERE system = 'gitlab' AND until_at <= now()
	RETURNING true
)
SELECT EXISTS (SELECT FROM turn) OR NOT EXISTS (SELECT FROM ci_outages WHERE system = 'gitlab') AS mine;

-- name: gitlab_set_away
-- $1 seconds for which nobody asks.  By the primary key.
INSERT INTO ci_outages (system, until_at) VALUES ('gitlab', now() + make_interval(secs => $1::integer))
    ON CONFLICT (system) DO UPDATE SET until_at = excluded.until_at;

-- name: gitlab_set_back
-- GitLab answers again.  By the primary key; the table has no row while GitLab answers.
DELETE FROM ci_outages WHERE system = 'gitlab';

-- name: gitlab_refuse
-- $1 digest, $2 seconds.  By the primary key.  Removes up to 8 records that have expired, by
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
-- $1 digest, $2 username, $3 full path of the project, $4 seconds until GitLab is asked again, $5 address
-- of that GitLab, $6 name, $7 pipeline, $8 job, $9 its URL, $10 ref, $11 commit.  Unique indexes
-- users_username, projects_full_path and tokens_digest_key.  A known token becomes valid for longer,
-- unless it was revoked; no row for a revoked token, or if user or project does not exist.
INSERT INTO tokens AS t (kind, digest, source, issuer, name, user_id, project_id, scopes, expires_at,
       checked_until, pipeline, job, job_url, ref, commit)
SELECT 'job', $1::bytea, 'gitlab', $5::text, $6::text, u.id, p.id, '{}', now() + interval '30 days',
       now() + make_interval(secs => $4::integer), $7::bigint, $8::bigint, $9::text, $10::text, $11::text
  FROM users u, projects p
 WHERE lower(u.username) = lower($2) AND u.state = 'active'
   AND lower(p.full_path) = lower($3)
    ON CONFLICT (digest) DO UPDATE SET checked_until = excluded.checked_until
       WHERE t.source = 'gitlab' AND t.revoked_at IS NULL AND t.user_id = excluded.user_id
         AND t.project_id = excluded.project_id
RETURNING t.id, t.xmax = 0 AS is_new, t.project_id, t.user_id;

-- name: gitlab_pin
-- $1 address of the GitLab, $2 its number of the user, $3 the user here, $4 the name there; $5 its number of
-- the project or null, $6 the project here, $7 the path there.  At most two rows; existing pins stay, in
-- either direction: the primary key and both unique indexes decide.
INSERT INTO gitlab_pins (gitlab, kind, gitlab_id, name, user_id, project_id)
SELECT $1::text, n.kind, n.gitlab_id, n.name, n.user_id, n.project_id
  FROM (VALUES ('user', $2::bigint, $4::text, $3::bigint, NULL::bigint),
               ('project', $5::bigint, $7::text, NULL, $6::bigint)) n (kind, gitlab_id, name, user_id,
                                                                       project_id)
 WHERE n.gitlab_id IS NOT NULL
    ON CONFLICT DO NOTHING;

-- name: gitlab_pin_other
-- $1 address of the GitLab, $2 its number of the user, $3 the user here, $4 its number of the project or
-- null, $5 the project here.  A row if one of them is pinned to another number or name; none otherwise.
-- Look-ups by the primary key and by gitlab_pins_user and gitlab_pins_project.
SELECT p.kind, p.gitlab_id, coalesce(u.username, j.full_path) AS name
  FROM (SELECT * FROM gitlab_pins
         WHERE gitlab = $1::text AND kind = 'user' AND gitlab_id = $2::bigint AND user_id <> $3::bigint
        UNION ALL
        SELECT * FROM gitlab_pins
         WHERE gitlab = $1 AND user_id = $3 AND gitlab_id <> $2
        UNION ALL
        SELECT * FROM gitlab_pins
         WHERE gitlab = $1 AND kind = 'project' AND gitlab_id = $4::bigint AND project_id <> $5::bigint
        UNION ALL
        SELECT * FROM gitlab_pins
         WHERE gitlab = $1 AND project_id = $5 AND gitlab_id <> $4) p
  LEFT JOIN users u ON u.id = p.user_id
  LEFT JOIN projects j ON j.id = p.project_id
 LIMIT 1;

-- name: gitlab_pins_list
-- $1 'user' or 'project'.  For an administrator at a terminal: a scan of a small table, sorted in memory.
DECLARE listing NO SCROLL CURSOR WITH HOLD FOR
SELECT coalesce(u.username, j.full_path) AS name, p.gitlab, p.gitlab_id, p.name AS gitlab_name,
       extract(epoch FROM p.created_at)::bigint AS created_at
  FROM gitlab_pins p
  LEFT JOIN users u ON u.id = p.user_id
  LEFT JOIN projects j ON j.id = p.project_id
 WHERE p.kind = $1
 ORDER BY 1, 2;

-- name: gitlab_unpin_user
-- $1 username.  The few pins of one user by gitlab_pins_user.  No row if the user does not exist.
WITH u AS (SELECT id FROM users WHERE lower(username) = lower($1)),
     gone AS (DELETE FROM gitlab_pins USING u WHERE user_id = u.id RETURNING true)
SELECT id, EXISTS (SELECT FROM gone) AS changed FROM u;

-- name: gitlab_unpin_project
-- $1 full path.  The few pins of one project by gitlab_pins_project.  No row if the project does not exist.
WITH p AS (SELECT id FROM projects WHERE lower(full_path) = lower($1)),
     gone AS (DELETE FROM gitlab_pins USING p WHERE project_id = p.id RETURNING true)
SELECT id, EXISTS (SELECT FROM gone) AS changed FROM p;
