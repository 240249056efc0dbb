-- name: inventory_versions
-- $1 project, $2 normalized name.  All versions of a crate, for an import that looks what is there already:
-- by the unique indexes of crates (project_id, normalized_name) and versions (crate_id, version_base), sorted
-- byte by byte.
SELECT v.version_base, v.cksum, v.yanked
  FROM crates c JOIN versions v ON v.crate_id = c.id
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND v.status @served
 ORDER BY v.version_base COLLATE "C";

-- name: inventory_unresolved
-- $1 project.  Names that versions of the project depend on as crates of the same registry, and that are not
-- there: up to 100.  Not dev-dependencies: no build of another crate uses them.  An administrator waits
-- for it after an import: a scan of the versions of the project by versions_listed_crate, with their
-- dependencies by dependencies_version, and a look-up of each by the unique index of crates (project_id,
-- normalized_name).
SELECT DISTINCT d.name
  FROM versions v JOIN dependencies d ON d.version_id = v.id
 WHERE v.project_id = $1 AND v.status IN ('default', 'deprecated', 'error') AND d.registry IS NULL
   AND d.kind <> 'dev'
   AND NOT EXISTS (SELECT FROM crates c WHERE c.project_id = $1 AND c.normalized_name = d.normalized_name
                      AND c.index_body IS NOT NULL)
 ORDER BY d.name LIMIT 100;

-- name: inventory_indexes
-- $1 project.  Name and index file of each crate, in one statement, so that all are of one moment; read row
-- by row, by the unique index (project_id, normalized_name).
SELECT c.name, c.index_body FROM crates c
 WHERE c.project_id = $1 AND c.index_body IS NOT NULL ORDER BY c.normalized_name;
