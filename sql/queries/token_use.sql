-- name: token_use_record
-- $1 tokens, $2 when each was last used, in seconds since 1970.  A few hundred rows by primary key.
-- Who else is writing one of them (another worker, or a revocation) is not waited for: with every
-- use it comes again.  A token that has been recorded within the minute is left alone, so that
-- many workers and nodes make no more writes than one.
WITH used AS (
    SELECT t.id, u.at FROM tokens t
      JOIN unnest($1::bigint[], $2::bigint[]) AS u (id, at) ON t.id = u.id
     WHERE t.last_used_at IS NULL OR t.last_used_at < to_timestamp(u.at - 60)
       FOR NO KEY UPDATE OF t SKIP LOCKED)
UPDATE tokens t SET last_used_at = to_timestamp(used.at) FROM used WHERE t.id = used.id;
