-- name: health_look
-- Whether this session may write: not on a standby, nor if writes are switched off.  Also the answer of
-- session_schema, from a table of a few rows, since the schema may have changed since this session began.
SELECT current_setting('transaction_read_only') = 'on' AS read_only,
       coalesce(max(version), 0)::bigint AS version,
       coalesce(max(coalesce((to_jsonb(m) ->> 'floor')::bigint, version)), 0)::bigint AS floor
  FROM schema_migrations m;

-- name: health_blobs
-- The number of blobs and of their bytes.  Reads the whole table, of narrow rows: 0.1 s for a million.
-- Nobody asks more than once a minute.
SELECT count(*) AS count, coalesce(sum(size), 0)::bigint AS bytes FROM blobs;

-- name: health_search
-- How long the oldest of the crates that are due has waited.  A scan of a table that is short, unless no
-- worker runs: 0.1 s for a million rows.
SELECT greatest(coalesce(extract(epoch FROM now() - min(due_at)), 0), 0)::bigint AS late FROM crates_due;

-- name: health_tasks
-- Background tasks by kind, node (null: any) and state, how long the oldest due task has waited, and when
-- a periodic one last succeeded.  A scan of a table that is short unless something is wrong.
SELECT kind, node,
       count(*) FILTER (WHERE dead_at IS NULL AND claimed_until >= now()) AS running,
       count(*) FILTER (WHERE dead_at IS NULL AND claimed_until IS NULL AND attempts = 0) AS waiting,
       count(*) FILTER (WHERE dead_at IS NULL AND (claimed_until < now()
                                                   OR claimed_until IS NULL AND attempts > 0)) AS failing,
       count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead,
       coalesce(extract(epoch FROM now() - min(run_at) FILTER (WHERE dead_at IS NULL
           AND claimed_until IS NULL AND run_at <= now())), 0)::bigint AS late,
       extract(epoch FROM max(done_at))::bigint AS done_at
  FROM tasks GROUP BY kind, node ORDER BY kind, node;

-- name: health_check
-- What the last complete check of the store has found: a table of one row, or of none before the first
-- check.  And how many damaged blobs versions need, by versions_cksum; there are few damaged blobs.
SELECT coalesce(c.problems, 0) AS problems,
       coalesce(extract(epoch FROM c.checked_at), 0)::bigint AS checked_at,
       (SELECT count(*) FROM damaged_blobs d
         WHERE EXISTS (SELECT FROM versions v WHERE v.cksum = d.sha256)) AS damaged
  FROM (SELECT) AS one LEFT JOIN store_check c ON true;

-- name: health_note_certificate
-- $1 node, $2 seconds since 1970, or null if the node cannot see the certificate.  Also removes the rows of
-- nodes that have been gone for a day.  A table with a row for each node.
WITH gone AS (
	DELETE FROM node_certificates
	 WHERE seen_at < now() - interval '1 day' AND node <> $1 OR node = $1 AND $2::bigint IS NULL
)
INSERT INTO node_certificates (node, expires_at, seen_at)
SELECT $1, to_timestamp($2::bigint), now() WHERE $2::bigint IS NOT NULL
    ON CONFLICT (node) DO UPDATE SET expires_at = excluded.expires_at, seen_at = excluded.seen_at;

-- name: health_certificate
-- $1 node.  When the certificate expires, as its worker has seen within a day: by primary key.
SELECT extract(epoch FROM expires_at)::bigint AS expires_at FROM node_certificates
 WHERE node = $1 AND seen_at > now() - interval '1 day';

-- name: health_server
-- The server's clock, whether it runs on this host as far as the connection tells, and its directory of data,
-- which only some roles may know.
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms,
       coalesce(inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1', true) AS is_local,
       CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE')
            THEN current_setting('data_directory') END AS directory;

-- name: health_programs
-- $1 the newest migration of this program.  Pools and workers in this database that have another newest
-- migration: a name is berth-fcgi/124, with the id of a request behind it.  A scan of the sessions.
SELECT count(*) AS sessions,
       coalesce(string_agg(DISTINCT substring(application_name from '^[^ ]+'), ', '), '') AS programs
  FROM pg_stat_activity
 WHERE datname = current_database() AND application_name ~ '^berth-(fcgi|worker)/[0-9]{1,9}( |$)'
   AND substring(application_name from '/([0-9]+)')::bigint <> $1::bigint;

-- name: health_worker
-- $1 node.  For how many seconds nothing has shown that the node's worker works: it runs probe_store every 30
-- seconds; null: no worker of this node has ever done it.  And the kinds of tasks that this node, or any,
-- runs and that have failed.  A scan of a table that is short unless something is wrong.
SELECT extract(epoch FROM now()
           - max(done_at) FILTER (WHERE kind = 'probe_store' AND node = $1))::bigint AS age,
       coalesce(string_agg(DISTINCT kind, ',' ORDER BY kind) FILTER (WHERE dead_at IS NOT NULL
           OR claimed_until < now() OR claimed_until IS NULL AND attempts > 0), '') AS failing
  FROM tasks WHERE node IS NULL OR node = $1;

-- name: health_rights
-- $1 the lines of grants.sql.  How many of its rights the role of this session lacks, and the first of them.
-- A few hundred look-ups in the catalogue.  A newer schema may lack tables, columns and sequences: they need
-- no right.
WITH granted AS (
	SELECT r[1] AS verb, regexp_split_to_array(r[2], ',\s*') AS columns, g[2] IS NOT NULL AS is_sequence,
	       to_regclass(g[3])::oid AS relation, g[3] AS name
	  FROM regexp_matches(array_to_string($1::text[], ''),
	                      'GRANT ([^;]+?)\s+ON\s+(SEQUENCE\s+)?(\w+)\s+TO', 'g') AS g,
	       regexp_matches(g[1], '([A-Z]+)(?:\s+\(([^)]+)\))?', 'g') AS r
)
SELECT count(*) AS lacking, coalesce(min(verb || ' on ' || name), '') AS first, current_user::text AS role
  FROM granted
 WHERE relation IS NOT NULL
   AND CASE WHEN is_sequence THEN NOT has_sequence_privilege(relation, verb)
            WHEN columns IS NULL THEN NOT has_table_privilege(relation, verb)
            ELSE EXISTS (SELECT FROM pg_attribute a
                          WHERE a.attrelid = relation AND a.attname = ANY (columns) AND NOT a.attisdropped
                            AND NOT has_column_privilege(relation, a.attnum, verb)) END;

-- name: health_locks
-- What holds locks for which the most sessions wait, and waits for nothing itself: how many wait, and for
-- how many seconds the first has waited.  PostgreSQL 13 has no `waitstart`: the time since the statement
-- began, if this role may know it.  pid 0: prepared transactions; gid is the oldest of this database.
-- vacuum: a process of the server that belongs to no role, as autovacuum does.  Reads the table of locks,
-- the sessions, and the prepared transactions.
WITH waiting AS MATERIALIZED (
	SELECT a.pid, extract(epoch FROM clock_timestamp()
	           - coalesce(min((to_jsonb(l) ->> 'waitstart')::timestamptz), a.query_start)) AS age
	  FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND NOT l.granted
	 WHERE a.datname = current_database()
	 GROUP BY a.pid, a.query_start
)
SELECT h.pid::bigint AS pid, coalesce(b.usename, '') AS role, coalesce(b.application_name, '') AS program,
       count(DISTINCT w.pid) AS sessions, coalesce(max(w.age), 0)::bigint AS age,
       b.pid IS NOT NULL AND b.usesysid IS NULL AS vacuum,
       (SELECT gid FROM pg_prepared_xacts WHERE database = current_database()
         ORDER BY prepared LIMIT 1) AS gid
  FROM waiting w, unnest(pg_blocking_pids(w.pid)) AS h(pid) LEFT JOIN pg_stat_activity b ON b.pid = h.pid
 WHERE h.pid NOT IN (SELECT pid FROM waiting) AND (h.pid = 0 OR b.pid IS NOT NULL)
 GROUP BY h.pid, b.pid, b.usename, b.usesysid, b.application_name ORDER BY sessions DESC, h.pid LIMIT 1;
