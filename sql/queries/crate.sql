-- name: crate_index
-- $1, $2 the project by id or by full path, $3 normalized name, $4 name in lower case, $5 ETags
-- that the client has, $6 whether the caller shows a token.  One look-up by the unique index
-- (project_id, normalized_name); the body is not even read from its TOAST table where the client
-- has it already.  Nor is anything read for somebody without a token where that cannot be
-- allowed: the time of a 401 would tell what is there.
SELECT c.index_etag, c.index_etag = ANY ($5::text[]),
       CASE WHEN c.index_etag = ANY ($5::text[]) THEN NULL ELSE c.index_body END
  FROM crates c
 WHERE c.project_id = coalesce($1::bigint, (SELECT id FROM projects WHERE lower(full_path) = lower($2::text)))
   AND c.normalized_name = $3 AND lower(c.name) = $4 AND c.index_body IS NOT NULL
   AND ($6 OR (SELECT p.visibility = 'public' OR p.public_packages FROM projects p WHERE p.id = c.project_id));

-- name: crate_lock
-- $1 project, $2 name, $3 normalized name.  Makes the crate or finds it, and in both cases holds
-- its row until the transaction ends: publishes of one crate, also under two spellings, go one
-- after the other.  The unique index decides who is first.  The first publish sets the index in
-- the transaction that makes the crate: one without is new.
INSERT INTO crates (project_id, name, normalized_name) VALUES ($1, $2, $3)
    ON CONFLICT (project_id, normalized_name) DO UPDATE SET updated_at = now()
RETURNING id, name, index_revision = 0, extract(epoch FROM deleted_at)::bigint;

-- name: crate_find_locked
-- $1 project, $2 normalized name.  As crate_lock for a crate that must exist: one row by the
-- unique index.
SELECT id, name FROM crates WHERE project_id = $1 AND normalized_name = $2 FOR UPDATE;

-- name: crate_index_lines
-- $1 crate.  All lines of the index file in order of publication, by the index of the unique
-- constraint (crate_id, version_base); the crate's row is locked, so none is missed.
SELECT index_line FROM versions
 WHERE crate_id = $1 AND status IN ('default', 'hidden', 'deprecated') ORDER BY id;

-- name: crate_set_index
-- $1 crate, $2 gzip bytes or null, $3 ETag or null.  By primary key; the row is locked.  Without an
-- index the crate has no versions: they are all deleted.
UPDATE crates SET index_body = $2, index_etag = $3, index_revision = index_revision + 1, updated_at = now(),
       deleted_at = CASE WHEN $2::bytea IS NULL THEN coalesce(deleted_at, now()) END
 WHERE id = $1;
