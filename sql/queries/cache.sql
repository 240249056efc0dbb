-- name: cache_listen
-- By a keeper, on each connection before anything else.  Reads no table.
LISTEN berth_cache;

-- name: cache_listen_keepers
-- As cache_listen.  What keepers tell only each other has a channel of its own, so that nobody else
-- need know of it.  Reads no table.
LISTEN berth_keepers;

-- name: cache_call
-- By a keeper, in a second session of its own: a number that its first one will hear if it is told
-- anything.  The number is of this transaction, so no other keeper calls it.  Nothing is
-- lost with it, so nobody waits for the disk.  Reads no table.
WITH fast AS (SELECT set_config('synchronous_commit', 'off', true))
SELECT x.n::bigint, pg_notify('berth_keepers', 'h ' || x.n) IS NULL
  FROM (SELECT pg_current_xact_id()::text AS n FROM fast WHERE set_config <> '') x;

-- name: cache_register
-- $1 node, $2 its host, $3 seconds.  By a keeper that listens and serves nothing yet: whatever was
-- committed before this has its number cannot be served stale, since nothing is there.  The answer is the
-- transaction that wrote the row, by which its keeper knows it again.  One row by primary key; for good
-- before it is answered, as everything that makes a lease longer.
INSERT INTO cache_nodes (node, host, synced, lease_until)
VALUES ($1, $2, pg_current_xact_id()::text::bigint, now() + make_interval(secs => $3::bigint))
    ON CONFLICT (node) DO UPDATE
   SET host = excluded.host, synced = excluded.synced, lease_until = excluded.lease_until
RETURNING xmin::text::bigint;

-- name: cache_renew
-- $1 node, $2 seconds, $3 the transaction that its keeper knows to have written the row last.  By primary
-- key.  The answer is the one that does now; no row where somebody has removed it, where the lease has
-- ended already, so that nobody waits for the node any more and it may have missed something, or where
-- another transaction wrote it: that of a restore, which tells nobody what it has taken away.
UPDATE cache_nodes SET lease_until = now() + make_interval(secs => $2::bigint)
 WHERE node = $1 AND lease_until > now() AND xmin::text::bigint = $3
RETURNING xmin::text::bigint;

-- name: cache_release
-- $1 node, which serves nothing any more.  By primary key.
UPDATE cache_nodes SET lease_until = now() WHERE node = $1;

-- name: cache_forget
-- Nodes that have not been seen for long.  A table of a few rows, at the start of a keeper.
DELETE FROM cache_nodes WHERE lease_until < now() - interval '7 days';

-- name: cache_acknowledge
-- $1 node, $2 the number of a cache_sync that it has come to, $3 as in cache_renew, and so is the answer.
-- By primary key.  To be lost in a crash of the database does no harm, so nobody waits for the disk:
-- keepers register anew then.
WITH fast AS (SELECT set_config('synchronous_commit', 'off', true))
UPDATE cache_nodes SET synced = greatest(synced, $2) FROM fast
 WHERE node = $1 AND cache_nodes.xmin::text::bigint = $3
RETURNING cache_nodes.xmin::text::bigint;

-- name: cache_told
-- Has this session told the keepers anything since it was last asked?  Reads no table.
SELECT coalesce(current_setting('berth.cache_told', true), '') = 'yes'
           AND set_config('berth.cache_told', '', false) = '';

-- name: cache_sync
-- Asks all nodes to say when they have come so far; the answer is the number to wait for, and no
-- row where no node serves anything.  Notifications arrive in the order of commits, and this one's
-- number was taken after the commits that it is about: a node that has come to this number, or
-- any greater one, has heard of them.  Reads a table of a few rows.
SELECT x.n::bigint, pg_notify('berth_cache', 's ' || x.n) IS NULL
  FROM (SELECT pg_current_xact_id()::text AS n
         WHERE EXISTS (SELECT FROM cache_nodes WHERE lease_until > now())) x;

-- name: cache_sync_left
-- $1 the number.  The hosts of the nodes that may still serve what was before; null: there is none.
-- A table of a few rows.
SELECT string_agg(host, ', ' ORDER BY host) FROM cache_nodes WHERE synced < $1 AND lease_until > now();

-- name: cache_config
-- $1 project.  May anyone read its packages?  By primary key.
SELECT project_is_public(p) FROM projects p WHERE p.id = $1;

-- name: cache_index
-- $1 project, $2 normalized name, $3 name in lower case.  By the unique index (project_id,
-- normalized_name).
SELECT c.index_body, c.index_time FROM crates c
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND lower(c.name COLLATE "C") = $3
   AND c.index_body IS NOT NULL;

-- name: cache_version
-- $1 project, $2 normalized name, $3 name exactly, $4 version exactly.  By the unique indexes of
-- crates (project_id, normalized_name) and versions (crate_id, version_base).
SELECT v.cksum FROM crates c JOIN versions v ON v.crate_id = c.id
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND c.name = $3
   AND v.version_base = split_part($4, '+', 1) AND v.version = $4
   AND v.status IN ('default', 'hidden', 'deprecated');
