-- name: health_look
-- May this session write?  Not on a standby, nor where that is turned off.  And the newest migration
-- that was applied: a table of a few rows.
SELECT current_setting('transaction_read_only') = 'on',
       (SELECT coalesce(max(version), 0)::bigint FROM schema_migrations);

-- name: health_blobs
-- How many blobs there are and their bytes.  Reads the whole table, of narrow rows: 0.1 s for a
-- million.  Nobody asks more than once a minute.
SELECT count(*), coalesce(sum(size), 0)::bigint FROM blobs;
