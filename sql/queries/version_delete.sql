-- name: version_delete
-- $1 version; its crate is locked.  By primary key.
UPDATE versions SET status = 'pending_destruction', status_before = status, deleted_at = now()
 WHERE id = $1;

-- name: version_left
-- $1 crate, which is locked.  Whether it has a version that is not deleted.  By the index of the unique
-- constraint (crate_id, version_base).
SELECT EXISTS (SELECT FROM versions WHERE crate_id = $1 AND status <> 'pending_destruction') AS has_versions;

-- name: version_kept
-- $1 version, whose crate is locked, $2 whether it may be yanked, $3 versions of the crate that
-- version_delete has just deleted, and that clients could not choose when the policy chose them.  Whether $1
-- is there, clients can choose it, and nobody had made one of $3 available meanwhile.  By primary key.
SELECT EXISTS (SELECT FROM versions WHERE id = $1 AND status <> 'pending_destruction'
                  AND ($2::boolean OR NOT (yanked OR status = 'error')))
       AND NOT EXISTS (SELECT FROM versions WHERE id = ANY ($3::bigint[])
                          AND NOT (yanked OR status_before = 'error')) AS is_kept;

-- name: version_undelete
-- The reverse of version_delete.
UPDATE versions SET status = status_before, status_before = NULL, deleted_at = NULL
 WHERE id = $1;

-- name: version_destroy
-- $1 seconds.  Up to 100 versions that were deleted so long ago, the oldest first, by versions_deleted_at,
-- and their dependencies by dependencies_version.  Skips a version that is locked since somebody restores
-- it.
DELETE FROM versions WHERE id = ANY (ARRAY(
       SELECT id FROM versions WHERE deleted_at < now() - $1::bigint * interval '1 second'
        ORDER BY deleted_at, id LIMIT 100 FOR UPDATE SKIP LOCKED));

-- name: version_bury
-- $1 crate (locked), $2 version without build metadata, $3 its bytes.  One row by primary key.  If the
-- version was deleted before, the tombstone exists, with the same bytes.
INSERT INTO tombstones (crate_id, version_base, cksum) VALUES ($1, $2, $3)
    ON CONFLICT (crate_id, version_base) DO NOTHING;

-- name: version_find_named
-- $1 full path of a project, $2 normalized name, $3 version without build metadata or null.  A row without
-- a crate if the crate does not exist, and without a version if the version does not; no row without a
-- project.  Unique indexes projects_full_path, crates (project_id, normalized_name), versions (crate_id,
-- version_base).
SELECT p.id AS project_id, c.id AS crate_id, c.name AS crate, v.id AS version_id, v.version, v.size,
       v.status = 'pending_destruction' AS deleted
  FROM projects p
  LEFT JOIN crates c ON c.project_id = p.id AND c.normalized_name = $2
  LEFT JOIN versions v ON v.crate_id = c.id AND ($3::text IS NULL OR v.version_base = $3)
 WHERE lower(p.full_path) = lower($1)
 ORDER BY v.id;
