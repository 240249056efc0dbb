-- name: version_check_new
-- $1 project, $2 name, $3 normalized name, $4 version without build metadata, $5 names of crates
-- that must be in the project.  Always one row: the crate's name as first published, whether the
-- version is there, and the first of $5 that is not ($2 itself will be).  Each is a look-up by a
-- unique index: crates (project_id, normalized_name) for $3 and every one of $5, versions
-- (crate_id, version_base).
SELECT c.name,
       EXISTS (SELECT 1 FROM versions v WHERE v.crate_id = c.id AND v.version_base = $4),
       (SELECT d.name
          FROM unnest($5::text[]) WITH ORDINALITY AS d (name, place)
         WHERE d.name <> $2
           AND NOT EXISTS (SELECT 1 FROM crates k WHERE k.project_id = $1
                   AND k.normalized_name = replace(lower(d.name), '_', '-') AND k.name = d.name)
         ORDER BY d.place LIMIT 1)
  FROM (SELECT) AS one LEFT JOIN crates c ON c.project_id = $1 AND c.normalized_name = $3;
