-- name: backup_lock
-- Until this session ends, no collection takes a blob (blob_take), and no other backup runs.  Waits only
-- for a collection that takes a blob at this time, which holds the lock for the duration of a rename.
-- Reads no table.  The session may be idle for as long as the blobs are copied; PostgreSQL 13 has no limit
-- for that.
SELECT pg_try_advisory_lock(1651864180, 1) AS locked,
       (SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout')
           AS idle_timeout;

-- name: backup_begin
-- The first statement of its transaction, since the later ones see what it sees.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: backup_snapshot
-- Exports the snapshot of this transaction to pg_dump; the transaction stays open as long as pg_dump runs.
-- Counts the versions: a scan of an index.
SELECT pg_export_snapshot() AS snapshot, r.id::text AS registry,
       to_char(now(), 'YYYYMMDD"T"HH24MISS.MS"Z"') AS name,
       to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at,
       coalesce(to_char(s.adopted_at, 'YYYYMMDD"T"HH24MISS.US"Z"'), '') AS adopted_at,
       (SELECT count(*) FROM versions) AS versions,
       (SELECT max(version) FROM schema_migrations)::bigint AS newest,
       set_config('idle_in_transaction_session_timeout', '0', true) AS idle_timeout
  FROM registry r, store_state s;
