-- name: download_log_position
-- $1 node, $2 fingerprint.  One row by primary key.
SELECT position FROM download_logs WHERE node = $1 AND fingerprint = $2;

-- name: download_logs_unfinished
-- $1 node, $2 fingerprints of logs that are compressed.  One row each by primary key.
SELECT f AS fingerprint FROM unnest($2::text[]) AS f
 WHERE NOT EXISTS (SELECT FROM download_logs l
       WHERE l.node = $1 AND l.fingerprint = f AND l.finished_at IS NOT NULL);

-- name: download_log_finish
-- $1 node, $2 fingerprint.  One row by primary key.
UPDATE download_logs SET finished_at = now() WHERE node = $1 AND fingerprint = $2;

-- part: moved
-- Moves the position of the log, by primary key, and waits for a transaction that is moving it.  If the
-- position is then not $3, the statement changes nothing.
moved AS (
	INSERT INTO download_logs AS l (node, fingerprint, position, path, garbage)
	VALUES ($1, $2, $4::bigint, $5, $6::bigint)
	    ON CONFLICT (node, fingerprint) DO UPDATE
	   SET position = excluded.position, path = excluded.path, garbage = l.garbage + excluded.garbage,
	       read_at = now()
	 WHERE l.position = $3::bigint
	RETURNING true
)

-- name: download_log_count
-- $1 node, $2 fingerprint, $3 and $4 the positions from and to which the worker has read, $5 path, $6 lines
-- of garbage, $7 downloads as JSON.  Versions are found by primary keys, or by the unique indexes crates
-- (project_id, normalized_name) and versions (crate_id, version_base), the holder of a token by
-- tokens_handle, and the project of a crate of a group's registry by crates_name, once for all downloads of
-- this crate there: it looks at all projects that have the name.  Rows are written in the order of their
-- keys, so that two nodes do not wait for each other.  A time of the future, by a clock that was wrong,
-- counts as now.
WITH @moved, told AS (
	SELECT * FROM jsonb_to_recordset($7::jsonb) AS d (at bigint, bytes bigint, project_id bigint,
	       group_id bigint, version_id bigint, crate text, version text, actor text, actor_id bigint,
	       handle text)
	 WHERE EXISTS (SELECT FROM moved)
), held AS MATERIALIZED (
	SELECT n.group_id, n.crate, h.project_id
	  FROM (SELECT DISTINCT group_id, crate FROM told WHERE group_id IS NOT NULL) n
	 CROSS JOIN LATERAL view_project(n.group_id, replace(lower(n.crate), '_', '-')) h
), line AS (
	SELECT least(d.at, floor(extract(epoch FROM now()))::bigint) AS at, d.bytes,
	       coalesce(d.project_id, h.project_id) AS project_id, d.version_id, d.crate, d.version,
	       CASE t.kind WHEN 'personal' THEN 'user' ELSE coalesce(t.kind, d.actor) END AS actor,
	       CASE t.kind WHEN 'personal' THEN t.user_id ELSE coalesce(t.id, d.actor_id) END AS actor_id
	  FROM told d LEFT JOIN tokens t ON t.handle = d.handle
	  LEFT JOIN held h ON h.group_id = d.group_id AND h.crate = d.crate
), found AS (
	SELECT l.at, l.actor, l.actor_id, c.project_id, c.id AS crate_id, v.id AS version_id
	  FROM line l JOIN versions v ON v.id = l.version_id JOIN crates c ON c.id = v.crate_id
	 WHERE c.project_id = l.project_id AND v.size = l.bytes
	 UNION ALL
	SELECT l.at, l.actor, l.actor_id, c.project_id, c.id, v.id
	  FROM line l
	  JOIN crates c ON c.project_id = l.project_id AND c.name = l.crate
	   AND c.normalized_name = replace(lower(l.crate), '_', '-')
	  JOIN versions v ON v.crate_id = c.id AND v.version = l.version
	   AND v.version_base = split_part(l.version, '+', 1)
	 WHERE v.size = l.bytes
), days AS (
	INSERT INTO download_days AS d (crate_id, version_id, day, project_id, downloads, last_at)
	SELECT crate_id, version_id, (to_timestamp(at) AT TIME ZONE 'UTC')::date AS day, project_id,
	       count(*), to_timestamp(max(at))
	  FROM found GROUP BY crate_id, version_id, day, project_id
	 ORDER BY crate_id, version_id, day
	    ON CONFLICT (crate_id, version_id, day) DO UPDATE
	   SET downloads = d.downloads + excluded.downloads, last_at = greatest(d.last_at, excluded.last_at)
), months AS (
	INSERT INTO usage_months AS u (month, project_id, actor, actor_id, downloads)
	SELECT date_trunc('month', to_timestamp(at) AT TIME ZONE 'UTC')::date AS month, project_id, actor,
	       actor_id, count(*)
	  FROM found GROUP BY month, project_id, actor, actor_id
	 ORDER BY month, project_id, actor, actor_id
	    ON CONFLICT (month, project_id, actor, actor_id) DO UPDATE
	   SET downloads = u.downloads + excluded.downloads
)
SELECT EXISTS (SELECT FROM moved) AS moved, (SELECT count(*) FROM found) AS counted;

-- name: nginx_answers_count
-- $1 node, $2 fingerprint, $3 and $4 the positions from and to which the worker has read, $5 path, $6
-- lines of garbage, $7 routes, $8 the number of answers for each route, by primary key.
WITH @moved, counted AS (
	INSERT INTO nginx_answers AS a (node, route, answers)
	SELECT $1, n.route, n.answers FROM unnest($7::text[], $8::bigint[]) AS n (route, answers)
	 WHERE n.answers > 0 AND EXISTS (SELECT FROM moved)
	 ORDER BY n.route
	    ON CONFLICT (node, route) DO UPDATE SET answers = a.answers + excluded.answers
)
SELECT EXISTS (SELECT FROM moved) AS moved;

-- name: nginx_answers
-- $1 node.  At most one row for each route, by the primary key's first column.
SELECT route, answers FROM nginx_answers WHERE node = $1 ORDER BY route;
