-- name: nginx_answers_count
-- $1 node, $2 fingerprint, $3 and $4 the positions from and to which the worker has read, $5 path, $6
-- lines of garbage, $7 routes, $8 the number of answers for each route.  As download_log_count: moves the
-- position of the log, by primary key; if the position is then not $3, nothing else happens.
WITH moved AS (
	INSERT INTO download_logs AS l (node, fingerprint, position, path, garbage)
	VALUES ($1, $2, $4::bigint, $5, $6::bigint)
	    ON CONFLICT (node, fingerprint) DO UPDATE
	   SET position = excluded.position, path = excluded.path, garbage = l.garbage + excluded.garbage,
	       read_at = now()
	 WHERE l.position = $3::bigint
	RETURNING true
), counted AS (
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
