-- name: blob_look
-- $1 the last one of the page before, $2 seconds that what is unused is kept.  A page of up to
-- 1000 in the order of the primary key, and for each a look-up by versions_cksum.  Those that are
-- found unused for the first time are marked, unless a publish has been faster or is at it.
WITH page AS (
	SELECT sha256, stored_at, unused_since FROM blobs WHERE sha256 > $1 ORDER BY sha256 LIMIT 1000
), unused AS (
	SELECT * FROM page p WHERE NOT EXISTS (SELECT FROM versions v WHERE v.cksum = p.sha256)
), marked AS (
	UPDATE blobs SET unused_since = now()
	 WHERE sha256 IN (
	       SELECT b.sha256 FROM blobs b JOIN unused u ON b.sha256 = u.sha256
	        WHERE b.stored_at = u.stored_at AND b.unused_since IS NULL
	          FOR UPDATE OF b SKIP LOCKED)
	RETURNING sha256, unused_since
)
SELECT p.sha256, coalesce(coalesce(u.unused_since, m.unused_since)
	<= now() - make_interval(secs => $2::integer), false) AS is_due
  FROM page p
  LEFT JOIN unused u ON u.sha256 = p.sha256
  LEFT JOIN marked m ON m.sha256 = p.sha256
 ORDER BY p.sha256;

-- name: blob_take
-- $1 sha256, $2 seconds as of blob_look.  One row by primary key, unless somebody is at it, and a
-- look-up by versions_cksum.  Until the transaction ends a publish of the same bytes waits for the
-- row.  Nothing waits for the disk: a row that a crash brings back without its file does no harm.
-- None while a backup runs (backup_lock), so that it finds what its dump refers to.
DELETE FROM blobs WHERE sha256 = (
       SELECT b.sha256 FROM blobs b
        WHERE b.sha256 = $1 AND b.unused_since <= now() - make_interval(secs => $2::integer)
          AND NOT EXISTS (SELECT FROM versions v WHERE v.cksum = b.sha256)
          AND set_config('synchronous_commit', 'off', true) = 'off'
          AND pg_try_advisory_xact_lock_shared(1651864180, 1)
          FOR UPDATE SKIP LOCKED);

-- name: blob_take_name
-- $1 sha256, of a file that has no row.  By primary key: a row that nobody else sees, and for
-- which a publish of the same bytes waits until the transaction ends.  None where there is one.
-- A publish that is adding it just now is not waited for.  None while a backup runs, as for blob_take.
INSERT INTO blobs (sha256, size)
SELECT $1, 0 WHERE set_config('synchronous_commit', 'off', true) = 'off'
   AND set_config('lock_timeout', '100', true) = '100ms'
   AND pg_try_advisory_xact_lock_shared(1651864180, 1)
    ON CONFLICT (sha256) DO NOTHING;

-- name: blob_drop_name
-- $1 sha256.  Takes the row of blob_take_name back, in the same transaction.
DELETE FROM blobs WHERE sha256 = $1;

-- name: blob_unknown
-- $1 names of files.  Those that have no row: look-ups by primary key.
SELECT f.name FROM unnest($1::text[]) AS f (name)
 WHERE NOT EXISTS (SELECT FROM blobs b WHERE b.sha256 = f.name);
