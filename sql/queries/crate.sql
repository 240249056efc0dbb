-- name: crate_index
-- $1 project, $2 normalized name, $3 name in lower case, $4 ETags that the client has, or null, $5 whether
-- any ETag will do.  ETags consist of time and length, as nginx makes them of a file.  If one is that of the
-- index file, the statement does not even read the body from the TOAST table.  One look-up by the unique
-- index (project_id, normalized_name).
SELECT c.index_time AS time, octet_length(c.index_body) AS length,
       CASE WHEN $5::boolean
              OR to_hex(c.index_time) || '-' || to_hex(octet_length(c.index_body)) = ANY ($4::text[])
            THEN NULL ELSE c.index_body END AS body
  FROM crates c
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND lower(c.name COLLATE "C") = $3
   AND c.index_body IS NOT NULL;

-- name: crate_lock
-- $1 project, $2 name, $3 normalized name.  Creates or finds the crate, and in both cases locks its row
-- until the transaction ends: publishes of one crate, also under two spellings, run one after the other.
-- The unique index decides which is first.  A crate whose versions are all destroyed gets the new
-- spelling, by the index (crate_id, version_base) of versions.
INSERT INTO crates (project_id, name, normalized_name) VALUES ($1, $2, $3)
    ON CONFLICT (project_id, normalized_name) DO UPDATE SET updated_at = now(),
       name = CASE WHEN crates.deleted_at IS NULL
                     OR EXISTS (SELECT FROM versions v WHERE v.crate_id = crates.id)
                   THEN crates.name ELSE excluded.name END
RETURNING id;

-- name: crate_find_locked
-- $1 project, $2 normalized name.  As crate_lock for a crate that must exist: one row by the
-- unique index.
SELECT id, name FROM crates WHERE project_id = $1 AND normalized_name = $2 FOR UPDATE;

-- name: crate_index_lines
-- $1 crate.  All lines of the index file in order of publication, by the index of the unique
-- constraint (crate_id, version_base); the crate's row is locked, so none is missed.  Read row by row.
SELECT index_line AS line, id FROM versions
 WHERE crate_id = $1 AND status @served ORDER BY id;

-- name: crate_grow_index
-- $1 project, $2 name, $3 normalized name, $4 how often the index file has changed, $5 how many of its last
-- bytes to remove, $6 the bytes in their place, with the line of a new version.  Creates the crate with this
-- file, or finds it, and in both cases locks its row until the transaction ends: the unique index
-- (project_id, normalized_name) decides which of two publishes is first.  Reserves the id of the version,
-- which version_add then uses.  Returns how often the file has changed now; no row if it has changed since.
INSERT INTO crates AS c (project_id, name, normalized_name, index_body, index_time, index_last,
                         index_revision)
VALUES ($1, $2, $3, $6::bytea, index_file_time($6), nextval('versions_id_seq'), 1)
    ON CONFLICT (project_id, normalized_name) DO UPDATE
   SET index_body = substr(coalesce(c.index_body, ''), 1,
                           octet_length(coalesce(c.index_body, '')) - $5::integer)
                    || excluded.index_body,
       index_last = excluded.index_last, index_revision = c.index_revision + 1, updated_at = now(),
       deleted_at = NULL
 WHERE c.index_revision = $4
RETURNING index_revision AS revision;

-- name: crate_set_index
-- $1 crate, $2 gzip bytes or null, $3 the version of the last line or null.  By primary key; the row is
-- locked.  A trigger leaves a row of crates_due, for searches and lists.  A crate without an index counts
-- as deleted only if all its versions are deleted, and none is in error: a look-up by the index of the
-- unique constraint (crate_id, version_base).
UPDATE crates SET index_body = $2, index_last = $3, index_revision = index_revision + 1, updated_at = now(),
       deleted_at = CASE WHEN $2::bytea IS NULL AND NOT EXISTS (SELECT FROM versions v
                              WHERE v.crate_id = $1 AND v.status <> 'pending_destruction')
                         THEN coalesce(deleted_at, now()) END
 WHERE id = $1;
