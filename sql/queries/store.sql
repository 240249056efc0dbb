-- name: registry_id
-- The id of the database's registry.  The one row of a table.
SELECT id::text FROM registry;

-- name: store_known
-- For a store without an id: whether the database has already had a store with its id, and some of the
-- blobs that versions need.  By primary key, up to 16 rows, each with a look-up by versions_cksum.
SELECT s.adopted_at IS NOT NULL AS adopted, b.sha256
  FROM store_state s
  LEFT JOIN (SELECT b.sha256 FROM blobs b WHERE EXISTS (SELECT FROM versions v WHERE v.cksum = b.sha256)
              LIMIT 16) b ON true;

-- name: store_begin
-- Records that the store has the database's id.  One row, written only the first time.
UPDATE store_state SET adopted_at = now() WHERE adopted_at IS NULL;

-- name: store_adopt
-- $1 the store's new mark.  One row: database and store start together again, and a restore from a dump is
-- complete.  A dump also has the tasks of the nodes of its time, which may be gone; others add theirs again.
WITH gone AS (
	DELETE FROM tasks t
	 WHERE t.node IS NOT NULL
	   AND NOT EXISTS (SELECT FROM store_nodes n
	                    WHERE n.node = t.node AND n.seen_at > now() - interval '90 seconds')
	   AND EXISTS (SELECT FROM store_state WHERE written_by IS DISTINCT FROM xmin)
)
UPDATE store_state SET adopted_at = now(), written_by = pg_current_xact_id()::xid, mark = $1::uuid,
       next_mark = NULL, moved_at = now(), held_at = NULL, held_files = NULL, held_of = NULL,
       confirmed_at = NULL, confirmed = NULL;

-- name: store_lock
-- $1 seconds of the first period.  The one row, which stays locked until the transaction ends: mark, next
-- mark, whether the row was restored from a dump, whether it is time for another mark, for how many
-- seconds nothing may be collected yet, and how many files an administrator has confirmed within the last
-- day.
SELECT mark::text, next_mark::text, (written_by IS DISTINCT FROM xmin) AS restored,
       coalesce(moved_at < now() - interval '10 minutes', true) AS move_due,
       greatest(0, ceil(extract(epoch FROM adopted_at + make_interval(secs => $1::integer) - now())))::bigint
           AS wait,
       CASE WHEN confirmed_at > now() - interval '1 day' THEN confirmed ELSE 0 END::bigint AS confirmed
  FROM store_state FOR UPDATE;

-- name: store_next_mark
-- One row: announces the next mark, unless one is already announced.
UPDATE store_state SET next_mark = coalesce(next_mark, gen_random_uuid()) RETURNING next_mark::text;

-- name: store_move_mark
-- One row: the announced mark is in the store.
UPDATE store_state SET mark = next_mark, next_mark = NULL, moved_at = now() WHERE next_mark IS NOT NULL;

-- name: store_hold
-- $1 the number of files that a collection would remove, $2 the number of all files; nulls: no collection
-- waits, and the confirmation is used up.  One row.
UPDATE store_state SET held_files = $1::bigint, held_of = $2::bigint,
       held_at = CASE WHEN $1::bigint IS NOT NULL THEN now() END,
       confirmed_at = CASE WHEN $1::bigint IS NOT NULL THEN confirmed_at END,
       confirmed = CASE WHEN $1::bigint IS NOT NULL THEN confirmed END
 WHERE $1::bigint IS NOT NULL OR held_at IS NOT NULL OR confirmed_at IS NOT NULL;

-- name: store_confirm
-- One row, or none if no collection waits.  Wakes the collector.
WITH confirmed AS (
	UPDATE store_state SET confirmed_at = now(), confirmed = held_files WHERE held_at IS NOT NULL
	    RETURNING held_files
), due AS (
	UPDATE tasks SET run_at = now() WHERE kind = 'collect_blobs' AND EXISTS (SELECT FROM confirmed)
)
SELECT held_files, pg_notify('berth_tasks', '')::text AS notified FROM confirmed;

-- name: store_show
-- For administrators and monitoring.  The one row of each table.
SELECT r.id::text AS registry, extract(epoch FROM s.adopted_at)::bigint AS adopted_at, s.mark::text,
       s.next_mark::text, extract(epoch FROM s.held_at)::bigint AS held_at,
       coalesce(s.held_files, 0) AS held_files, coalesce(s.held_of, 0) AS held_of,
       extract(epoch FROM s.confirmed_at)::bigint AS confirmed_at,
       (s.written_by IS DISTINCT FROM s.xmin) AS restored
  FROM registry r, store_state s;

-- name: store_blobs
-- $1 SHA-256, $2 how many.  The next blobs after $1 that a version needs: by primary key, and
-- versions_cksum.
SELECT b.sha256, b.size FROM blobs b
 WHERE b.sha256 > $1 AND EXISTS (SELECT FROM versions v WHERE v.cksum = b.sha256)
 ORDER BY b.sha256 LIMIT $2::bigint;

-- name: store_used
-- $1 names of files.  The names that a version needs: look-ups by versions_cksum.
SELECT f.name FROM unnest($1::text[]) AS f (name)
 WHERE EXISTS (SELECT FROM versions v WHERE v.cksum = f.name);

-- name: copies_wanted
-- $1 days, $2 how many.  The blobs of the versions that clients of all nodes downloaded most in these days:
-- the downloads of each project by download_days_project, the versions by primary key.
SELECT v.cksum, v.size
  FROM (SELECT d.version_id, sum(d.downloads) AS downloads, max(d.last_at) AS last_at
          FROM projects p JOIN download_days d ON d.project_id = p.id AND d.day > current_date - $1::int
         GROUP BY d.version_id ORDER BY downloads DESC, last_at DESC LIMIT $2::bigint) w
  JOIN versions v ON v.id = w.version_id
 ORDER BY w.downloads DESC, w.last_at DESC;

-- name: store_node_due
-- $1 node.  The time now, and whether the node was not seen within the last 10 seconds: by primary key.
SELECT extract(epoch FROM now())::bigint AS now,
       NOT EXISTS (SELECT FROM store_nodes WHERE node = $1 AND seen_at > now() - interval '10 seconds')
           AS due;

-- name: store_node_seen
-- $1 node, $2 seconds since 1970, $3 version, $4 schema, $5 external_url, $6 keys.  One row by primary
-- key: the node has written its file at that time, and reports these facts about itself.  A node that
-- comes back after it was gone counts as new.
INSERT INTO store_nodes AS n (node, since, seen_at, version, schema, external_url, keys)
VALUES ($1, to_timestamp($2::bigint), to_timestamp($2::bigint), $3, $4::bigint, $5, $6)
    ON CONFLICT (node) DO UPDATE
   SET since = CASE WHEN n.seen_at < now() - interval '90 seconds' THEN excluded.since ELSE n.since END,
       seen_at = greatest(n.seen_at, excluded.seen_at), version = excluded.version, schema = excluded.schema,
       external_url = excluded.external_url, keys = excluded.keys;

-- part: live_nodes
-- Nodes that are not gone: a scan of a table with a row for each node.
live AS (SELECT * FROM store_nodes WHERE seen_at > now() - interval '90 seconds')

-- name: store_node_common
-- $1 node, $2 its external_url, whatever its row says.  One row: the external_url that most of the nodes
-- have that are not gone; if two are equally frequent, that of the node that has existed longest.
WITH @live_nodes, told AS (
	SELECT CASE WHEN node = $1 THEN $2 ELSE external_url END AS external_url, since FROM live
	UNION ALL
	SELECT $2, now() WHERE NOT EXISTS (SELECT FROM live WHERE node = $1)
)
SELECT external_url FROM told WHERE external_url IS NOT NULL
 GROUP BY external_url ORDER BY count(*) DESC, min(since), external_url LIMIT 1;

-- name: store_node_list
-- For administrators: all nodes of the last day, each with the cache of its host or node whose lease was
-- renewed last.  stale_s: for how many seconds after its lease the node may go on without the database.
-- behind: how many transactions fewer it has acknowledged than the node that has acknowledged most.
-- live: also a node that cannot write its file now, if its keeper has a lease.
WITH @live_nodes, most AS (SELECT max(synced) AS synced FROM cache_nodes WHERE lease_until > now()),
common AS (SELECT (SELECT external_url FROM live WHERE external_url IS NOT NULL
                    GROUP BY external_url ORDER BY count(*) DESC, min(since), external_url
                        LIMIT 1) AS external_url,
                  (SELECT keys FROM live WHERE keys IS NOT NULL
                    GROUP BY keys ORDER BY count(*) DESC, min(since), keys LIMIT 1) AS keys)
SELECT n.node, n.version, n.schema, n.external_url, n.keys, extract(epoch FROM n.since)::bigint AS since,
       extract(epoch FROM n.seen_at)::bigint AS seen_at, n.seen_at > now() - interval '90 seconds'
           OR coalesce(k.lease_until > now(), false) AS live,
       CASE WHEN n.external_url <> c.external_url THEN 'external_url' WHEN n.keys <> c.keys
            THEN 'token_key' END
           AS differs,
       (extract(epoch FROM k.lease_until - now()) * 1000)::bigint AS lease_ms, m.synced - k.synced AS behind,
       k.stale_s
  FROM store_nodes n CROSS JOIN common c CROSS JOIN most m
  LEFT JOIN LATERAL (SELECT lease_until, synced, stale_s FROM cache_nodes
                      WHERE host = n.node ORDER BY lease_until DESC LIMIT 1) k ON true
 ORDER BY n.node;

-- name: store_node_others
-- $1 node.  The other nodes that are not gone, and for how many seconds each has existed.  A scan of a
-- table with a row for each node.
SELECT node, extract(epoch FROM seen_at)::bigint AS seen, extract(epoch FROM now() - since)::bigint AS age
  FROM store_nodes WHERE node <> $1 AND seen_at > now() - interval '90 seconds' ORDER BY node;

-- name: store_node_sweep
-- Removes nodes that have been gone for a day: a scan of a table with a row for each node.
DELETE FROM store_nodes WHERE seen_at < now() - interval '1 day';
