-- name: token_use_record
-- $1 tokens, $2 when each was last used, in seconds since 1970.  A few hundred rows by primary key.  Does
-- not wait for another session that writes one of them (another worker, or a revocation), since each use
-- comes again.  Skips tokens that were recorded within the last minute, so many workers and nodes write no
-- more than one.
WITH used AS (
    SELECT t.id, u.at FROM tokens t
      JOIN unnest($1::bigint[], $2::bigint[]) AS u (id, at) ON t.id = u.id
     WHERE t.last_used_at IS NULL OR t.last_used_at < to_timestamp(u.at - 60)
       FOR NO KEY UPDATE OF t SKIP LOCKED)
UPDATE tokens t SET last_used_at = to_timestamp(used.at) FROM used WHERE t.id = used.id;
