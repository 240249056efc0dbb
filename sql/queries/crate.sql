-- name: crate_index
-- $1 project, $2 normalized name, $3 name in lower case, $4 the generation in which the caller was
-- let in.  No row where that is not the one any more: the table of one row comes first, and then
-- the crate is not looked at.  Else one row, of nulls where there is no such crate.  One look-up by
-- the unique index (project_id, normalized_name).  What a statement calls has to be set up each
-- time, which takes longer than to call it: nothing is computed here that can be done without.
SELECT c.index_etag, c.index_time, c.index_body
  FROM access_generation g
  LEFT JOIN crates c ON c.project_id = $1 AND c.normalized_name = $2 AND lower(c.name COLLATE "C") = $3
 WHERE g.id = $4;

-- name: crate_index_unless
-- As crate_index, $5 the ETag that the client has: then the body is not even read from its TOAST
-- table, as it is not to tell its length.
SELECT c.index_etag, c.index_time, CASE WHEN c.index_etag = $5 THEN NULL ELSE c.index_body END,
       octet_length(c.index_body)
  FROM access_generation g
  LEFT JOIN crates c ON c.project_id = $1 AND c.normalized_name = $2 AND lower(c.name COLLATE "C") = $3
 WHERE g.id = $4;

-- name: crate_index_unless_any
-- As crate_index_unless, $5 ETags that the client has.  One of them may be that which nginx gives
-- to a file of public_dir with the same bytes, which is made of time and length.
SELECT c.index_etag, c.index_time,
       CASE WHEN c.index_etag = ANY ($5::text[])
              OR to_hex(c.index_time) || '-' || to_hex(octet_length(c.index_body)) = ANY ($5::text[])
            THEN NULL ELSE c.index_body END,
       octet_length(c.index_body)
  FROM access_generation g
  LEFT JOIN crates c ON c.project_id = $1 AND c.normalized_name = $2 AND lower(c.name COLLATE "C") = $3
 WHERE g.id = $4;

-- name: crate_lock
-- $1 project, $2 name, $3 normalized name.  Makes the crate or finds it, and in both cases holds
-- its row until the transaction ends: publishes of one crate, also under two spellings, go one
-- after the other.  The unique index decides who is first.  The first publish sets the index in
-- the transaction that makes the crate: one without is new.  With it how
-- many bytes of text the index file has: as in version_check_new.
INSERT INTO crates (project_id, name, normalized_name) VALUES ($1, $2, $3)
    ON CONFLICT (project_id, normalized_name) DO UPDATE SET updated_at = now()
RETURNING id, name, index_revision = 0, extract(epoch FROM deleted_at)::bigint, 
          coalesce((SELECT get_byte(e, 0) + (get_byte(e, 1) << 8) + (get_byte(e, 2) << 16)
                        + get_byte(e, 3)::bigint * 16777216
                     FROM substr(index_body, octet_length(index_body) - 3) AS t (e)
                    WHERE octet_length(e) = 4), 0);

-- name: crate_find_locked
-- $1 project, $2 normalized name.  As crate_lock for a crate that must exist: one row by the
-- unique index.
SELECT id, name FROM crates WHERE project_id = $1 AND normalized_name = $2 FOR UPDATE;

-- name: crate_index_lines
-- $1 crate.  All lines of the index file in order of publication, by the index of the unique
-- constraint (crate_id, version_base); the crate's row is locked, so none is missed.  With them what
-- tells which version is shown; hidden ones are not.  Read row by row.
SELECT index_line, id, version_base, yanked, status <> 'hidden' FROM versions
 WHERE crate_id = $1 AND status IN ('default', 'hidden', 'deprecated') ORDER BY id;

-- name: crate_set_index
-- $1 crate, $2 gzip bytes or null, $3 ETag or null.  By primary key; the row is locked.  A crate
-- without an index is deleted only if its versions all are, and not in error: a look-up by the index of
-- the unique constraint (crate_id, version_base).
UPDATE crates SET index_body = $2, index_etag = $3, index_revision = index_revision + 1, updated_at = now(),
       deleted_at = CASE WHEN $2::bytea IS NULL AND NOT EXISTS (SELECT FROM versions v
                              WHERE v.crate_id = $1 AND v.status <> 'pending_destruction')
                         THEN coalesce(deleted_at, now()) END
 WHERE id = $1;
