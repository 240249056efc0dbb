-- name: write_limit_charge
-- $1 actor, $2 the address's actor or null, $3 action, $4 microseconds that one costs, $5 those
-- of a full bucket; $6 project, $7 normalized name of what is published or null, and $8, $9 in
-- place of $4, $5 where that name is new; $10, $11 those of the address.  No row where there is
-- no limit, else one: the action, and for how long it has to wait.  The bucket is one row by the
-- primary key, taken by the upsert alone: of two at once the second sees what the first has left.
-- The rest is look-ups by the primary key, by the unique index crates (project_id,
-- normalized_name), and up to 8 buckets by write_limits_full, which are full and not in use; they
-- are locked after our own and never waited for.  Nothing waits for the disk: what a crash
-- forgets is a few charges.
WITH asked AS (
	SELECT l.action, l.cost * interval '1 microsecond' AS cost,
	       l.span * interval '1 microsecond' AS span
	  FROM (VALUES (false, $3::text, $4::bigint, $5::bigint),
	               (true, 'new_crate', $8::bigint, $9::bigint)) AS l (fresh, action, cost, span)
	 WHERE l.fresh = ($7::text IS NOT NULL AND NOT EXISTS (SELECT FROM crates c
	                   WHERE c.project_id = $6::bigint AND c.normalized_name = $7))
	   AND set_config('synchronous_commit', 'off', true) = 'off'
), address AS (
	SELECT w.action, least(w.full_at - now(), $11::bigint * interval '1 microsecond')
	       + ($10::bigint - $11::bigint) * interval '1 microsecond' AS wait
	  FROM write_limits w
	 WHERE w.actor = $2::text AND w.action = 'failed_login' AND $11::bigint > 0
	   AND w.full_at > now() + ($11::bigint - $10::bigint) * interval '1 microsecond'
), charged AS (
	INSERT INTO write_limits AS w (actor, action, granted, full_at)
	SELECT $1::text, a.action, true, now() + a.cost
	  FROM asked a
	 WHERE a.span > interval '0' AND NOT EXISTS (SELECT FROM address)
	    ON CONFLICT (actor, action) DO UPDATE
	   SET (granted, full_at) = (
	       SELECT b.due + a.cost <= a.span,
	              now() + CASE WHEN b.due + a.cost <= a.span THEN b.due + a.cost ELSE b.due END
	         FROM asked a, greatest(least(w.full_at - now(), a.span), interval '0') AS b (due))
	RETURNING w.action, w.granted, w.full_at
), swept AS (
	DELETE FROM write_limits WHERE ctid = ANY (ARRAY(
	       SELECT o.ctid FROM write_limits o
	        WHERE EXISTS (SELECT FROM charged) AND o.full_at < now() AND o.actor <> $1::text
	        ORDER BY o.full_at LIMIT 8 FOR UPDATE SKIP LOCKED))
)
SELECT r.action, ceil(extract(epoch FROM r.wait) * 1000000)::bigint
  FROM (SELECT action, wait FROM address
         UNION ALL
        SELECT c.action,
               CASE WHEN c.granted THEN interval '0' ELSE c.full_at - now() + a.cost - a.span END
          FROM charged c, asked a) r;

-- name: write_limit_look
-- $1 actors.  Their buckets that are not full, and in how many microseconds they will be: up to
-- four rows for each by the primary key.
SELECT action, (extract(epoch FROM full_at - now()) * 1000000)::bigint
  FROM write_limits
 WHERE actor = ANY ($1::text[]) AND full_at > now();

-- name: write_limit_sweep
-- Removes up to 1000 buckets that are full, which are as good as none: by write_limits_full,
-- without waiting for those that are in use just now.
DELETE FROM write_limits WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM write_limits WHERE full_at < now()
        ORDER BY full_at LIMIT 1000 FOR UPDATE SKIP LOCKED));
