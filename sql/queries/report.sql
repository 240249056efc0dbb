-- name: report_adoption
-- $1 how many months, including this one, $2 project or null.  A row for each month of UTC and each
-- project that was used, and without $2 a row for all projects together, with zeros.  Publishers are read
-- from the audit log by audit_events_publish, without imports; downloaders from usage_months by its primary
-- key, from the first month on; tokens by primary key.  A token that no longer exists belonged to a user, or
-- was a deploy token.  Months and projects are joined by a hash: 0 stands for all projects together, since
-- PostgreSQL hashes no IS NOT DISTINCT FROM, and would compare each row with all rows of its month.
WITH month AS (
	SELECT m::date AS month
	  FROM date_trunc('month', now() AT TIME ZONE 'UTC') AS this,
	       generate_series(this - make_interval(months => $1::integer - 1), this, interval '1 month') AS m
), first AS (
	SELECT min(month) AS month FROM month
), used AS (
	SELECT date_trunc('month', e.at AT TIME ZONE 'UTC')::date AS month, e.project_id,
	       CASE WHEN t.kind = 'job' THEN 'job' WHEN e.user_id IS NULL THEN 'deploy' ELSE 'user' END AS actor,
	       CASE WHEN t.kind = 'job' OR e.user_id IS NULL THEN e.token_id ELSE e.user_id END AS actor_id,
	       count(*) AS publishes, 0 AS downloads
	  FROM audit_events e LEFT JOIN tokens t ON t.id = e.token_id
	 WHERE e.action = 'crate.publish' AND e.detail -> 'imported_from' IS NULL
	   AND e.at >= (SELECT month AT TIME ZONE 'UTC' FROM first)
	   AND ($2::bigint IS NULL OR e.project_id = $2)
	 GROUP BY 1, 2, 3, 4
	 UNION ALL
	SELECT u.month, u.project_id, u.actor, u.actor_id, 0, u.downloads
	  FROM usage_months u
	 WHERE u.month >= (SELECT month FROM first)
	   AND ($2::bigint IS NULL OR u.project_id = $2)
), counted AS (
	SELECT month, project_id,
	       count(DISTINCT actor_id) FILTER (WHERE actor = 'user' AND publishes > 0) AS p_users,
	       count(DISTINCT actor_id) FILTER (WHERE actor = 'deploy' AND publishes > 0) AS p_deploy,
	       count(DISTINCT actor_id) FILTER (WHERE actor = 'job' AND publishes > 0) AS p_jobs,
	       count(DISTINCT actor_id) FILTER (WHERE actor = 'user' AND downloads > 0) AS d_users,
	       count(DISTINCT actor_id) FILTER (WHERE actor = 'deploy' AND downloads > 0) AS d_deploy,
	       count(DISTINCT actor_id) FILTER (WHERE actor = 'job' AND downloads > 0) AS d_jobs,
	       sum(publishes)::bigint AS publishes, sum(downloads)::bigint AS downloads
	  FROM used GROUP BY GROUPING SETS ((month, project_id), (month))
), grid AS (
	SELECT m.month, x.project_id
	  FROM month m, (SELECT NULL::bigint AS project_id WHERE $2::bigint IS NULL
	                 UNION SELECT project_id FROM used UNION SELECT $2 WHERE $2 IS NOT NULL) x
)
SELECT to_char(g.month, 'YYYY-MM') AS month, coalesce(g.project_id, 0) AS project_id, p.full_path AS project,
       coalesce(c.p_users, 0) AS p_users, coalesce(c.p_deploy, 0) AS p_deploy,
       coalesce(c.p_jobs, 0) AS p_jobs,
       coalesce(c.d_users, 0) AS d_users, coalesce(c.d_deploy, 0) AS d_deploy,
       coalesce(c.d_jobs, 0) AS d_jobs,
       coalesce(c.publishes, 0) AS publishes, coalesce(c.downloads, 0) AS downloads
  FROM grid g
  LEFT JOIN counted c ON c.month = g.month AND coalesce(c.project_id, 0) = coalesce(g.project_id, 0)
  LEFT JOIN projects p ON p.id = g.project_id
 ORDER BY p.full_path NULLS FIRST, g.project_id, g.month;

-- name: report_downloads
-- $1 project, $2 crate in normal form, $3 from and $4 to (not included) as seconds since 1970, $5 how many
-- at most; all but the last may be null.  For an administrator at a terminal: by download_days_project
-- with a project, otherwise a scan; names by primary keys.  Crates and versions that no longer exist have
-- numbers and no names.
DECLARE listing NO SCROLL CURSOR WITH HOLD FOR
SELECT to_char(d.day, 'YYYY-MM-DD') AS day, p.full_path AS project, d.project_id, c.name AS crate, v.version,
       d.downloads, extract(epoch FROM d.last_at)::bigint AS last_at
  FROM download_days d
  LEFT JOIN projects p ON p.id = d.project_id
  LEFT JOIN crates c ON c.id = d.crate_id
  LEFT JOIN versions v ON v.id = d.version_id
 WHERE ($1::bigint IS NULL OR d.project_id = $1)
   AND ($2::text IS NULL OR c.normalized_name = $2)
   AND ($3::bigint IS NULL OR d.day >= (to_timestamp($3) AT TIME ZONE 'UTC')::date)
   AND ($4::bigint IS NULL OR d.day < (to_timestamp($4) AT TIME ZONE 'UTC')::date)
 ORDER BY d.day DESC, d.downloads DESC, d.crate_id, d.version_id
 LIMIT $5::bigint;

-- name: report_has_crate
-- $1 project or null, $2 crate in normal form.  Whether there is such a crate: by the unique index of project
-- and name, or, without a project, by the index crates_name.  For an administrator, after a report without
-- rows.
SELECT EXISTS (SELECT FROM crates
                WHERE normalized_name = $2::text AND ($1::bigint IS NULL OR project_id = $1)) AS found;

-- name: report_storage
-- A row for each project that has versions, the largest first.  For an administrator at a terminal: a scan of
-- versions; projects by primary key.
SELECT s.project_id, p.full_path AS project, s.versions, s.bytes, s.deleted_bytes, s.month_bytes
  FROM (SELECT v.project_id, count(*) FILTER (WHERE v.status <> 'pending_destruction') AS versions,
               coalesce(sum(v.size) FILTER (WHERE v.status <> 'pending_destruction'), 0)::bigint AS bytes,
               coalesce(sum(v.size) FILTER (WHERE v.status = 'pending_destruction'), 0)::bigint
                   AS deleted_bytes,
               coalesce(sum(v.size) FILTER (WHERE v.status <> 'pending_destruction'
                                              AND v.published_at >= now() - interval '30 days'),
                        0)::bigint AS month_bytes
          FROM versions v GROUP BY v.project_id) s
  JOIN projects p ON p.id = s.project_id
 ORDER BY s.bytes + s.deleted_bytes DESC, s.project_id;
