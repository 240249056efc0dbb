-- name: crate_due_any
-- Whether any crate is due.  A table that is empty, or has few rows, unless no worker runs.
SELECT EXISTS (SELECT FROM crates_due) AS due;

-- name: crate_due_look
-- $1 projects, $2 normalized name.  The ids of the crates with this name that are due, as PostgreSQL
-- writes an array, or null.  For each project one row by the unique index (project_id, normalized_name),
-- and rows of crates_due by primary key.
SELECT array_agg(c.id)::text AS ids FROM crates c
 WHERE c.project_id = ANY ($1::bigint[]) AND c.normalized_name = $2
   AND EXISTS (SELECT FROM crates_due d WHERE d.crate_id = c.id);

-- name: crate_due_lock
-- Reads no table.  One session at a time brings crates up to date, so it never writes older data over
-- newer; the next statement of the session sees everything that the session before has written.  Waits a
-- second at most.
SELECT set_config('lock_timeout', '1s', true), pg_advisory_xact_lock(x'426572746864'::bigint)::text;

-- part: crate_due_written
-- For each crate of the batch: the number of listed versions, and the version that is shown, with its
-- words and the values that narrow a search.  By primary keys; if nothing has changed, as after most
-- yanks, no index is written.  Everything is of the moment at which the rows of crates_due are seen.  The
-- name differs if a crate comes back in another spelling before its row is removed.
batch AS MATERIALIZED (
    SELECT c.id, c.project_id, c.name, c.normalized_name, crate_shown(c.id) AS shown,
           search_yanked(c.id) AS yanked,
           (SELECT count(*)::integer FROM versions v WHERE v.crate_id = c.id AND v.project_id = c.project_id
               AND v.status IN ('default', 'deprecated', 'error')) AS listed_versions
      FROM (SELECT DISTINCT crate_id FROM taken) t JOIN crates c ON c.id = t.crate_id
     ORDER BY c.id),
listed AS (
    INSERT INTO crate_names AS old (crate_id, project_id, normalized_name, listed_versions)
    SELECT b.id, b.project_id, b.normalized_name, b.listed_versions FROM batch b
        ON CONFLICT (crate_id) DO UPDATE SET listed_versions = excluded.listed_versions
     WHERE old.listed_versions <> excluded.listed_versions),
removed AS (
    DELETE FROM crate_search s USING batch b WHERE s.crate_id = b.id AND b.shown IS NULL),
searched AS (
    INSERT INTO crate_search AS old (crate_id, project_id, name, normalized_name, max_version, description,
           document, keywords, license, rust, yanked)
    SELECT b.id, b.project_id, b.name, b.normalized_name, v.version, left(v.description, 1000),
           search_document(b.normalized_name, v.keywords, v.description), lower(v.keywords::text)::text[],
           v.license, search_rust(v.rust_version), b.yanked
      FROM batch b JOIN versions v ON v.id = b.shown
     ORDER BY b.id
        ON CONFLICT (crate_id) DO UPDATE
           SET name = excluded.name, max_version = excluded.max_version, description = excluded.description,
               document = excluded.document, keywords = excluded.keywords, license = excluded.license,
               rust = excluded.rust, yanked = excluded.yanked
         WHERE (old.name, old.max_version, old.description, old.document, old.keywords, old.license, old.rust,
                old.yanked)
               IS DISTINCT FROM (excluded.name, excluded.max_version, excluded.description, excluded.document,
                                 excluded.keywords, excluded.license, excluded.rust, excluded.yanked))
SELECT count(*) AS taken FROM taken

-- name: crate_due_update
-- $1 how many rows of crates_due: the oldest by crates_due_id, and all other rows of their crates.
WITH taken AS (
    DELETE FROM crates_due d
     WHERE d.crate_id IN (SELECT o.crate_id FROM crates_due o ORDER BY o.id LIMIT $1::bigint)
    RETURNING d.crate_id),
@crate_due_written;

-- name: crate_due_update_these
-- $1 ids of crates; brings those of them up to date that are due.
WITH taken AS (DELETE FROM crates_due WHERE crate_id = ANY ($1::bigint[]) RETURNING crate_id),
@crate_due_written;
