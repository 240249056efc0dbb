-- name: session_settings
-- $1 statement, $2 lock, $3 idle-in-transaction time-out, each in milliseconds as text, $4 the name of the
-- session, $5 whether the settings are only for this transaction.  Sent first on every connection, before
-- the other statements are parsed in the search_path that it sets; in a shared session first in each
-- transaction.  Reads no table.  JIT is off: compiling a statement takes longer than most statements that
-- the planner takes for expensive, since it guesses at a LATERAL or a LIMIT.  The process id is the first
-- column: it shows whether a connection pooler is in between.  The settings are one column, since it costs as
-- much to send eight as to make them.  transaction_timeout, which PostgreSQL has from version 17 on, would
-- end the session of a backup or an import; Berth has deadlines of its own for requests.
SELECT pg_backend_pid() AS pid,
       num_nonnulls(set_config('statement_timeout', $1, $5::boolean),
                    set_config('lock_timeout', $2, $5::boolean),
                    set_config('idle_in_transaction_session_timeout', $3, $5::boolean),
                    CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL
                         THEN set_config('transaction_timeout', '0', $5::boolean) END,
                    set_config('search_path', 'public, pg_temp', $5::boolean),
                    set_config('standard_conforming_strings', 'on', $5::boolean),
                    set_config('jit', 'off', $5::boolean),
                    set_config('TimeZone', 'UTC', $5::boolean),
                    set_config('application_name', $4, $5::boolean)) AS settings;

-- name: session_tell_request
-- $1 the name of the session, with the id of the request: pg_stat_activity shows it, and %a in a log of
-- PostgreSQL.  Reads no table.
SELECT set_config('application_name', $1, false);

-- name: session_lift_timeout
-- Lifts the server's statement time-out until this transaction ends: its statements
-- rebuild an index file of any size, and stop at the deadline of the request.  Reads no table.
SELECT set_config('statement_timeout', '0', true);

-- name: session_schema
-- The newest migration, and the oldest program that the schema allows, according to this migration.  As
-- JSON, since the schema of an older program has no column `floor`; a migration without a floor allows no
-- older program.  A table of a few rows, read once per connection.
SELECT coalesce(max(version), 0)::bigint AS version,
       coalesce(max(coalesce((to_jsonb(m) ->> 'floor')::bigint, version)), 0)::bigint AS floor
  FROM schema_migrations m;

-- name: session_begin
-- Prepared like all other statements, so that one path executes everything.
BEGIN;

-- name: session_commit
-- As session_begin.
COMMIT;

-- name: session_rollback
-- As session_begin; PostgreSQL accepts it in a failed transaction.
ROLLBACK;

-- name: session_close_listing
-- Ends the list that this session has begun, if any (db_list()): the server drops its rows.
CLOSE ALL;

-- name: session_fetch_listing
-- The next rows of the list, which the server has kept since it was begun.
FETCH 500 FROM listing;

-- name: session_backend
-- The process that serves this session, or this transaction if a pooler shares sessions.  Reads no table.
SELECT pg_backend_pid() AS pid;

-- name: session_discard
-- Resets a session that comes from a pooler, before anything else.  Reads no table.
DISCARD ALL;

-- name: session_listen
-- The session under test runs this: it listens for the notification of session_notify.  Reads no table.
LISTEN berth_session;

-- name: session_notify
-- $1 a random word.  The second session runs this.  Reads no table.
SELECT pg_notify('berth_session', $1);

-- name: session_unlisten
-- Ends session_listen, after the notification has arrived.
UNLISTEN berth_session;

-- name: session_prepared
-- The prepared statements of the server's session, whoever prepared them.  A view of the session's memory.
SELECT name FROM pg_prepared_statements;

-- name: session_confirm
-- Writes a record without a meaning into the write-ahead log: its commit waits for the disk and for
-- synchronous standbys, and thus for everything that this server has shown before.  Reads no table.
WITH record AS MATERIALIZED (SELECT pg_logical_emit_message(true, 'berth', '')::text AS position)
SELECT position FROM record;

-- name: session_position
-- The position up to which the primary has written its write-ahead log, and its timeline: everything
-- acknowledged before is below it.  If commits do not wait for the disk, what is not written yet counts, too.
-- Also which database this is: its replicas have the same identifier and name.
-- Nulls of a server that is no primary, since the statement goes along with one that such a server answers.
-- Reads no table.
SELECT CASE WHEN pg_is_in_recovery() THEN NULL
            WHEN current_setting('synchronous_commit') = 'off' THEN pg_current_wal_insert_lsn()::text
            ELSE pg_current_wal_lsn()::text END AS position,
       CASE WHEN NOT pg_is_in_recovery()
            THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END AS timeline,
       (SELECT system_identifier FROM pg_control_system()) || '/' || current_database() AS database;

-- name: session_replayed
-- $1 to $3 the results of session_position.  Whether this is a replica of that database, since the positions
-- of another server are of another log; and whether it has replayed as much, of the same timeline.  After a
-- failover its control file has the new timeline only from the first restart point on; until then the
-- second result is false.  Reads no table.
SELECT pg_is_in_recovery()
       AND (SELECT system_identifier FROM pg_control_system()) || '/'
           || current_database() = $3::text AS is_replica,
       coalesce(pg_last_wal_replay_lsn() >= $1::text::pg_lsn
                AND (SELECT timeline_id FROM pg_control_checkpoint()) = $2::bigint, false) AS replayed;
