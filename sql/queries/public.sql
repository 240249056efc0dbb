-- name: public_listen
-- By a keeper, on each connection before anything else.  Reads no table.
LISTEN berth_public;

-- name: public_listen_keepers
-- As public_listen.  What keepers tell only each other has a channel of its own, so that nobody else
-- need know of it.  Reads no table.
LISTEN berth_keepers;

-- name: public_call
-- By a keeper, in a second session of its own: a number that its first one will hear if it is told
-- anything.  The number is of this transaction, so no other keeper calls it.  Nothing is
-- lost with it, so nobody waits for the disk.  Reads no table.
WITH fast AS (SELECT set_config('synchronous_commit', 'off', true))
SELECT x.n::bigint, pg_notify('berth_keepers', 'h ' || x.n) IS NULL
  FROM (SELECT pg_current_xact_id()::text AS n FROM fast WHERE set_config <> '') x;

-- name: public_register
-- $1 node, $2 its host, $3 seconds.  By a keeper that listens and serves nothing yet: whatever was
-- committed before this has its number cannot be served stale, since nothing is there.  One row by
-- primary key; for good before it is answered, as everything that makes a lease longer.
INSERT INTO public_nodes (node, host, synced, lease_until)
VALUES ($1, $2, pg_current_xact_id()::text::bigint, now() + make_interval(secs => $3::bigint))
    ON CONFLICT (node) DO UPDATE
   SET host = excluded.host, synced = excluded.synced, lease_until = excluded.lease_until;

-- name: public_renew
-- $1 node, $2 seconds.  By primary key.  No row where somebody has removed it, or where the lease
-- has ended already: then nobody waits for the node any more, and it may have missed something.
UPDATE public_nodes SET lease_until = now() + make_interval(secs => $2::bigint)
 WHERE node = $1 AND lease_until > now();

-- name: public_release
-- $1 node, which serves nothing any more.  By primary key.
UPDATE public_nodes SET lease_until = now() WHERE node = $1;

-- name: public_forget
-- Nodes that have not been seen for long.  A table of a few rows, at the start of a keeper.
DELETE FROM public_nodes WHERE lease_until < now() - interval '7 days';

-- name: public_heard
-- $1 node, $2 the number of a public_sync that it has come to.  By primary key.  To be lost in a
-- crash of the database does no harm, so nobody waits for the disk: keepers register anew then.
WITH fast AS (SELECT set_config('synchronous_commit', 'off', true))
UPDATE public_nodes SET synced = greatest(synced, $2) FROM fast WHERE node = $1;

-- name: public_told
-- Has this session told the keepers anything since it was last asked?  Reads no table.
SELECT coalesce(current_setting('berth.public_told', true), '') = 'yes'
           AND set_config('berth.public_told', '', false) = '';

-- name: public_sync
-- Asks all nodes to say when they have come so far; the answer is the number to wait for, and no
-- row where no node serves anything.  Notifications arrive in the order of commits, and this one's
-- number was taken after the commits that it is about: a node that has come to this number, or
-- any greater one, has heard of them.  Reads a table of a few rows.
SELECT x.n::bigint, pg_notify('berth_public', 's ' || x.n) IS NULL
  FROM (SELECT pg_current_xact_id()::text AS n
         WHERE EXISTS (SELECT FROM public_nodes WHERE lease_until > now())) x;

-- name: public_sync_left
-- $1 the number.  The hosts of the nodes that may still serve what was before; null: there is none.
-- A table of a few rows.
SELECT string_agg(host, ', ' ORDER BY host) FROM public_nodes WHERE synced < $1 AND lease_until > now();

-- name: public_project
-- $1 project.  A row where anyone may read its packages, unless its flags are against it: a few, by
-- feature_flags_all and feature_flags_project.  By primary key.
SELECT (SELECT string_agg(f.name || CASE WHEN f.project_id IS NULL THEN '=' ELSE ':' END || f.percentage, ' ')
          FROM feature_flags f WHERE f.project_id IS NULL OR f.project_id = p.id)
  FROM projects p WHERE p.id = $1 AND project_is_public(p);

-- name: public_index
-- $1 project, $2 normalized name, $3 name in lower case.  The index file that anyone may read; flags
-- as in public_project.  Two look-ups by the unique index (project_id, normalized_name) and the primary key of projects.
SELECT (SELECT string_agg(f.name || CASE WHEN f.project_id IS NULL THEN '=' ELSE ':' END || f.percentage, ' ')
          FROM feature_flags f WHERE f.project_id IS NULL OR f.project_id = p.id),
       c.index_body, c.index_time
  FROM crates c JOIN projects p ON p.id = c.project_id
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND lower(c.name) = $3
   AND c.index_body IS NOT NULL AND project_is_public(p);

-- name: public_version
-- $1 project, $2 normalized name, $3 name exactly, $4 version exactly.  The crate that anyone may
-- download.  As public_index, and the unique index (crate_id, version_base) of versions.
SELECT (SELECT string_agg(f.name || CASE WHEN f.project_id IS NULL THEN '=' ELSE ':' END || f.percentage, ' ')
          FROM feature_flags f WHERE f.project_id IS NULL OR f.project_id = p.id),
       v.cksum
  FROM crates c JOIN projects p ON p.id = c.project_id JOIN versions v ON v.crate_id = c.id
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND c.name = $3
   AND v.version_base = split_part($4, '+', 1) AND v.version = $4
   AND v.status IN ('default', 'hidden', 'deprecated') AND project_is_public(p);

-- name: public_signed_version
-- $1 project, $2 normalized name, $3 name exactly, $4 version exactly, $5 generation.  The crate that
-- those may download whose addresses were signed in that generation, unless it has ended; in one
-- snapshot.  As public_version, and a table of one row.
SELECT (SELECT string_agg(f.name || CASE WHEN f.project_id IS NULL THEN '=' ELSE ':' END || f.percentage, ' ')
          FROM feature_flags f WHERE f.project_id IS NULL OR f.project_id = c.project_id),
       v.cksum
  FROM access_generation g JOIN crates c ON g.id = $5 JOIN versions v ON v.crate_id = c.id
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND c.name = $3
   AND v.version_base = split_part($4, '+', 1) AND v.version = $4
   AND v.status IN ('default', 'hidden', 'deprecated');

-- name: public_kept_index
-- $1 project, $2 normalized name, $3 name in lower case, $4 generation.  The index file for those whom
-- a decision of that generation has let in, unless it has ended; in one snapshot.  As public_index,
-- and a table of one row.
SELECT (SELECT string_agg(f.name || CASE WHEN f.project_id IS NULL THEN '=' ELSE ':' END || f.percentage, ' ')
          FROM feature_flags f WHERE f.project_id IS NULL OR f.project_id = c.project_id),
       c.index_body, c.index_time, c.index_etag
  FROM access_generation g JOIN crates c ON g.id = $4
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND lower(c.name) = $3 AND c.index_body IS NOT NULL;
