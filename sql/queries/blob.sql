-- name: blob_look
-- $1 the last blob of the page before, $2 seconds for which an unused blob stays.  A page of up to 1000
-- blobs in the order of the primary key, with a look-up by versions_cksum for each.  Blobs that are unused
-- for the first time are marked, unless a publish was faster or has locked the row.
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
-- $1 sha256, $2 seconds as in blob_look.  One row by primary key, unless another session has locked it,
-- and a look-up by versions_cksum.  Until the transaction ends, a publish of the same bytes waits for the
-- row.  The commit does not wait for the disk: a row that a crash brings back without its file does no
-- harm.  No row while a backup runs (backup_lock), so that the backup finds the blobs of its dump.
DELETE FROM blobs WHERE sha256 = (
       SELECT b.sha256 FROM blobs b
        WHERE b.sha256 = $1 AND b.unused_since <= now() - make_interval(secs => $2::integer)
          AND NOT EXISTS (SELECT FROM versions v WHERE v.cksum = b.sha256)
          AND set_config('synchronous_commit', 'off', true) = 'off'
          AND pg_try_advisory_xact_lock_shared(1651864180, 1)
          FOR UPDATE SKIP LOCKED);

-- name: blob_take_name
-- $1 sha256 of a file that has no row.  Inserts, by primary key, a row that nobody else sees, and for
-- which a publish of the same bytes waits until the transaction ends.  No row if there is one already.
-- Does not wait for a publish that adds it at this time.  No row while a backup runs, as in blob_take.
INSERT INTO blobs (sha256, size)
SELECT $1, 0 WHERE set_config('synchronous_commit', 'off', true) = 'off'
   AND set_config('lock_timeout', '100', true) = '100ms'
   AND pg_try_advisory_xact_lock_shared(1651864180, 1)
    ON CONFLICT (sha256) DO NOTHING;

-- name: blob_drop_name
-- $1 sha256.  Removes the row of blob_take_name, in the same transaction.
DELETE FROM blobs WHERE sha256 = $1;

-- name: blob_unknown
-- $1 names of files.  The names that have no row: look-ups by primary key.
SELECT f.name FROM unnest($1::text[]) AS f (name)
 WHERE NOT EXISTS (SELECT FROM blobs b WHERE b.sha256 = f.name);
