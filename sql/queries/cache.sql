-- name: cache_listen
-- A keeper runs this on each connection before anything else.  Reads no table.
LISTEN berth_cache;

-- name: cache_listen_keepers
-- As cache_listen.  Messages between keepers have a channel of their own, so that no other session gets
-- them.  Reads no table.
LISTEN berth_keepers;

-- name: cache_probe
-- A keeper runs this in its second session.  It sends a number that the keeper's listening session must get.
-- The number is that of this transaction, so no other keeper sends it.  Losing it does no harm, so the
-- commit does not wait for the disk.  Reads no table.
WITH fast AS (SELECT set_config('synchronous_commit', 'off', true))
SELECT x.n::bigint AS number, pg_notify('berth_keepers', 'h ' || x.n) IS NULL AS notified
  FROM (SELECT pg_current_xact_id()::text AS n FROM fast WHERE set_config <> '') x;

-- part: cache_server
-- The run of the server in which numbers count.  A table of one row, which a crash and a failover empty; the
-- time of the start distinguishes a restored dump from the server from which it was taken.
((SELECT id FROM cache_run) # (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint)

-- name: cache_server
-- The run of the server to which this session belongs; null before the first keeper of this run.  Reads a
-- table of one row.
SELECT @cache_server AS server;

-- name: cache_begin_run
-- $1 a random number.  A keeper runs this before it registers, which may be the first of this run of the
-- server.  One row by primary key.
INSERT INTO cache_run (id) VALUES ($1) ON CONFLICT (one) DO NOTHING;

-- name: cache_register
-- $1 node, $2 its host, $3 seconds of the lease, $4 seconds of stale mode after the lease.  A keeper that
-- listens and serves nothing yet runs this: its cache is empty, so it holds nothing from before this number.
-- Returns the transaction that wrote the row, by which the keeper recognises it later, the number, and the
-- server that it counts in.  One row by primary key.  The commit waits for the disk, as every commit does
-- that makes a lease longer.
INSERT INTO cache_nodes (node, host, synced, lease_until, stale_s)
VALUES ($1, $2, pg_current_xact_id()::text::bigint, now() + make_interval(secs => $3::bigint), $4::bigint)
    ON CONFLICT (node) DO UPDATE
   SET host = excluded.host, synced = excluded.synced, lease_until = excluded.lease_until,
       stale_s = excluded.stale_s
RETURNING xmin::text::bigint AS written, synced,
          @cache_server AS server;

-- name: cache_renew
-- $1 node, $2 seconds, $3 the transaction that last wrote the row, as far as the keeper knows.  By primary
-- key.  Returns the transaction that writes it now.  Changes no row if somebody has removed it; if the
-- lease has ended, since then no writer waits for the node any more, and the node may have missed
-- notifications; or if another transaction wrote it: a restore, which sends no notifications.
UPDATE cache_nodes SET lease_until = now() + make_interval(secs => $2::bigint)
 WHERE node = $1 AND lease_until > now() AND xmin::text::bigint = $3
RETURNING xmin::text::bigint AS written;

-- name: cache_release
-- $1 node, which serves nothing any more.  By primary key.
UPDATE cache_nodes SET lease_until = now(), stale_s = 0 WHERE node = $1;

-- name: cache_forget
-- Removes nodes whose lease ended a week ago.  A keeper runs it when it starts.  A table of a few rows.
DELETE FROM cache_nodes WHERE lease_until < now() - interval '7 days';

-- name: cache_acknowledge
-- $1 node, $2 the number of a cache_sync whose notifications it has handled, $3 and the result as in
-- cache_renew.  For writers that do not read the board of this node: some read the row, which is found by its
-- primary key; the keepers of the others get a notification.  The commit does not wait for the disk: after a
-- crash of the database keepers register anew.
WITH fast AS (SELECT set_config('synchronous_commit', 'off', true))
UPDATE cache_nodes SET synced = greatest(synced, least($2, pg_current_xact_id()::text::bigint)) FROM fast
 WHERE node = $1 AND cache_nodes.xmin::text::bigint = $3
RETURNING cache_nodes.xmin::text::bigint AS written,
          pg_notify('berth_keepers', 'a ' || $2::bigint || ' ' || node) IS NULL AS notified;

-- part: may_serve
-- Node c has a lease, or may be in stale mode after it.
c.lease_until + make_interval(secs => c.stale_s) > now()

-- part: cache_left
-- How many milliseconds from now the lease of node c ends, and its stale mode.
c.node, c.host, (extract(epoch FROM c.lease_until - now()) * 1000)::bigint AS left_ms,
       (extract(epoch FROM c.lease_until - now()) * 1000)::bigint + 1000 * c.stale_s AS stale_ms

-- name: cache_sync
-- $1 the node whose board the caller reads, or null, $2 true: in any case, false: if this session has sent
-- the keepers something since the last call.  Asks all nodes to acknowledge a new number, and returns a row
-- for each node that may serve from a cache, with the number and the server that it counts in.  Notifications
-- arrive in the order of commits, and this number is taken after the commits that the caller waits for: a
-- node that acknowledges it, or a greater one, has handled their notifications.  Reads a table of a few rows.
WITH asked AS MATERIALIZED (
    SELECT x.n, pg_notify('berth_cache', concat_ws(' ', 's', x.n, $1::text))
      FROM (SELECT pg_current_xact_id()::text AS n
             WHERE CASE WHEN $2::boolean OR current_setting('berth.cache_told', true) = 'yes'
                        THEN set_config('berth.cache_told', '', false) = '' END
               AND EXISTS (SELECT FROM cache_nodes c WHERE @may_serve)) x)
SELECT @cache_left, a.n::bigint AS number, coalesce(@cache_server, 0) AS server
  FROM asked a JOIN cache_nodes c ON @may_serve;

-- name: cache_sync_left
-- $1 the number.  The nodes that may serve and whose row does not say that they have acknowledged the number,
-- with the columns of cache_sync.  A table of a few rows.
SELECT @cache_left FROM cache_nodes c WHERE c.synced < $1 AND @may_serve;

-- part: served
-- The status of a version that clients can download.
IN ('default', 'hidden', 'deprecated')

-- name: cache_config
-- $1 project.  Whether anyone may read its packages; by primary key.
SELECT project_is_public(p) AS is_public FROM projects p WHERE p.id = $1;

-- name: cache_index
-- $1 project, $2 normalized name, $3 name in lower case, $4 the most bytes: null for a longer file, whose
-- bytes are not read for that.  No row: crate_index finds none either.  By the unique index
-- (project_id, normalized_name).
SELECT CASE WHEN octet_length(c.index_body) <= $4::bigint THEN c.index_body END AS index_body, c.index_time
  FROM crates c
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND lower(c.name COLLATE "C") = $3
   AND c.index_body IS NOT NULL;

-- name: cache_version
-- $1 project, $2 normalized name, $3 name exactly, $4 version exactly.  By the unique indexes of
-- crates (project_id, normalized_name) and versions (crate_id, version_base).
SELECT v.cksum FROM crates c JOIN versions v ON v.crate_id = c.id
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND c.name = $3
   AND v.version_base = split_part($4, '+', 1) AND v.version = $4
   AND v.status @served;
