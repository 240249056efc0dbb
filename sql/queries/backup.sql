-- name: backup_lock
-- For this session, until it ends: no collection takes a blob (blob_take), and no other backup runs.  Waits
-- for no one: a collection that takes one just now holds the lock for as long as a rename takes.  The session
-- says nothing while blobs are copied, and the server shall not end it for that (PostgreSQL 14 and later could).
-- Reads no table.
SELECT pg_try_advisory_lock(1651864180, 1) AS locked,
       (SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout') AS idle_timeout;

-- name: backup_begin
-- First in its transaction, since later ones see what it sees.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: backup_snapshot
-- Lets pg_dump see what this transaction sees, which waits for it as long as it takes.  Counts the
-- versions: a scan of an index.
SELECT pg_export_snapshot() AS snapshot, r.id::text AS registry,
       to_char(now(), 'YYYYMMDD"T"HH24MISS.MS"Z"') AS name,
       to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at,
       (SELECT count(*) FROM versions) AS versions,
       (SELECT max(version) FROM schema_migrations)::bigint AS newest,
       set_config('idle_in_transaction_session_timeout', '0', true) AS idle_timeout
  FROM registry r;
