-- name: rate_limit_charge
-- $1 actor, $2 action, $3 microseconds that one action costs, $4 microseconds of a full bucket; $5
-- project, $6 normalized name of the published crate or null, and $7, $8 in place of $3, $4 if that name
-- is new.  No row if there is no limit, otherwise one: the action, and how long it has to wait.  The
-- bucket is one row by the primary key, and only the upsert takes from it: if two run at once, the second
-- sees what the first has left.  An empty bucket is only read, so a flood of refused writes writes
-- nothing.  The rest is look-ups by the primary key, by the unique index crates (project_id,
-- normalized_name), and up to 8 full and unused buckets by rate_limits_full, which are locked after our
-- own, without waiting for any.  The commit does not wait for the disk: a crash loses a few charges.
WITH asked AS (
	SELECT l.action, l.cost * interval '1 microsecond' AS cost,
	       l.span * interval '1 microsecond' AS span
	  FROM (VALUES (false, $2::text, $3::bigint, $4::bigint),
	               (true, 'new_crate', $7::bigint, $8::bigint)) AS l (fresh, action, cost, span)
	 WHERE l.fresh = ($6::text IS NOT NULL AND NOT EXISTS (SELECT FROM crates c
	                   WHERE c.project_id = $5::bigint AND c.normalized_name = $6))
	   AND l.span > 0 AND set_config('synchronous_commit', 'off', true) = 'off'
), empty AS (
	SELECT a.action, least(w.full_at - now(), a.span) + a.cost - a.span AS wait
	  FROM asked a JOIN rate_limits w ON w.actor = $1::text AND w.action = a.action
	 WHERE w.full_at > now() + a.span - a.cost
), charged AS (
	INSERT INTO rate_limits AS w (actor, action, granted, full_at)
	SELECT $1::text, a.action, true, now() + a.cost
	  FROM asked a
	 WHERE NOT EXISTS (SELECT FROM empty)
	    ON CONFLICT (actor, action) DO UPDATE
	   SET (granted, full_at) = (
	       SELECT b.due + a.cost <= a.span,
	              now() + CASE WHEN b.due + a.cost <= a.span THEN b.due + a.cost ELSE b.due END
	         FROM asked a, greatest(least(w.full_at - now(), a.span), interval '0') AS b (due))
	RETURNING w.action, w.granted, w.full_at
), swept AS (
	DELETE FROM rate_limits WHERE ctid = ANY (ARRAY(
	       SELECT o.ctid FROM rate_limits o
	        WHERE EXISTS (SELECT FROM charged) AND o.full_at < now() AND o.actor <> $1::text
	        ORDER BY o.full_at LIMIT 8 FOR UPDATE SKIP LOCKED))
)
SELECT r.action, ceil(extract(epoch FROM r.wait) * 1000000)::bigint AS wait_us
  FROM (SELECT action, wait FROM empty
         UNION ALL
        SELECT c.action,
               CASE WHEN c.granted THEN interval '0' ELSE c.full_at - now() + a.cost - a.span END
          FROM charged c, asked a) r;

-- name: rate_limit_look
-- $1 actors.  Their buckets that are not full, and in how many microseconds they will be: up to eight rows
-- for each actor by the primary key.
SELECT actor, action, (extract(epoch FROM full_at - now()) * 1000000)::bigint AS due
  FROM rate_limits
 WHERE actor = ANY ($1::text[]) AND full_at > now();

-- name: rate_limit_sweep
-- Removes up to 1000 full buckets, which have no effect: by rate_limits_full, without waiting for buckets
-- that are in use.
DELETE FROM rate_limits WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM rate_limits WHERE full_at < now()
        ORDER BY full_at LIMIT 1000 FOR UPDATE SKIP LOCKED));
