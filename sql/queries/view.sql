-- name: view_config
-- $1 group.  Whether everybody may read all crates of its registry.  The groups below by
-- groups_ancestor_ids, their projects by projects_group.
SELECT coalesce(bool_and(p.visibility = 'public' OR p.public_packages), false) AS is_public
  FROM groups d JOIN projects p ON p.group_id = d.id AND p.packages_enabled
 WHERE d.ancestor_ids @> ARRAY[$1::bigint];

-- name: view_names
-- $1 id of a group or null, $2 its full path or null, $3 names in normal form.  For each name, in their
-- order, the project that has it in the registry of the group, or null, the spelling of the crate there, and
-- whether another project of the group has a crate of that name, too.  No row if the group does not exist.
-- The few crates of each name by crates_name, and one by (project_id, normalized_name).
SELECT h.project_id, (SELECT c.name FROM crates c
                       WHERE c.project_id = h.project_id AND c.normalized_name = n.name) AS crate,
       EXISTS (SELECT FROM crates c JOIN projects p ON p.id = c.project_id JOIN groups d ON d.id = p.group_id
                WHERE c.normalized_name = n.name AND c.project_id <> h.project_id AND c.index_body IS NOT NULL
                  AND d.ancestor_ids @> ARRAY[v.id]) AS contested
  FROM groups v CROSS JOIN unnest($3::text[]) WITH ORDINALITY AS n (name, place)
  LEFT JOIN LATERAL view_project(v.id, n.name) h ON true
 WHERE v.id = coalesce($1::bigint, (SELECT id FROM groups WHERE lower(full_path) = lower($2::text)))
 ORDER BY n.place;

-- name: view_below
-- $1 group, $2 projects.  Those of them that are below the group, by primary keys.
SELECT p.id FROM projects p JOIN groups d ON d.id = p.group_id
 WHERE p.id = ANY ($2::bigint[]) AND d.ancestor_ids @> ARRAY[$1::bigint];

-- name: view_shadowed
-- $1 full path of a group.  The crates that its registry does not serve, since another project has their
-- name, and that project: reads all crates of the group, for an administrator at a terminal.
SELECT c.name AS crate, p.full_path, s.full_path AS served
  FROM groups v
  JOIN groups d ON d.ancestor_ids @> ARRAY[v.id]
  JOIN projects p ON p.group_id = d.id
  JOIN crates c ON c.project_id = p.id AND c.index_body IS NOT NULL
 CROSS JOIN LATERAL view_project(v.id, c.normalized_name) h
  JOIN projects s ON s.id = h.project_id AND s.id <> p.id
 WHERE lower(v.full_path) = lower($1::text)
 ORDER BY c.normalized_name, c.id;

-- name: view_crates
-- $1 group.  The crates that its registry serves; an administrator waits for them.  The groups below by
-- groups_ancestor_ids, their projects by projects_group, crates by (project_id, normalized_name), and for
-- each of them view_project().
SELECT c.name, c.normalized_name
  FROM groups d
  JOIN projects p ON p.group_id = d.id AND p.packages_enabled
  JOIN crates c ON c.project_id = p.id AND c.index_body IS NOT NULL
 CROSS JOIN LATERAL view_project($1::bigint, c.normalized_name) h
 WHERE d.ancestor_ids @> ARRAY[$1::bigint] AND h.project_id = p.id
 ORDER BY c.normalized_name;

-- name: view_index
-- $1 group, $2 to $4 as in cache_index.  As cache_index, for the crate that has the name in the registry
-- of the group, with its project.
SELECT CASE WHEN octet_length(c.index_body) <= $4::bigint THEN c.index_body END AS index_body, c.index_time,
       c.project_id
  FROM view_project($1::bigint, $2::text) h
  JOIN projects p ON p.id = h.project_id AND p.packages_enabled
  JOIN crates c ON c.project_id = p.id AND c.normalized_name = $2
 WHERE lower(c.name COLLATE "C") = $3 AND c.index_body IS NOT NULL;

-- name: view_version
-- $1 group, $2 to $4 as in cache_version.  As cache_version, for the crate that has the name in the
-- registry of the group.
SELECT r.cksum
  FROM view_project($1::bigint, $2::text) h
  JOIN projects p ON p.id = h.project_id AND p.packages_enabled
  JOIN crates c ON c.project_id = p.id AND c.normalized_name = $2
  JOIN versions r ON r.crate_id = c.id
 WHERE c.name = $3 AND r.version_base = split_part($4, '+', 1) AND r.version = $4
   AND r.status @served;

-- name: view_search
-- $1 group, $2 projects that may be searched, $3 the name to search for, in normal form, $4 its pattern
-- for LIKE or null, $5 words for to_tsquery, $6 the same words as text, $7 how many, $8 how many to skip.
-- The crates of these projects whose names contain it, by crate_search_trigrams, or that have the words,
-- by crate_search_words, 500 of each kind at most; if nothing is searched for, the first 1000 by
-- crate_search_name.  Among these, only crates that the registry of the group serves.  Always at least one
-- row, as search_names.
WITH asked AS MATERIALIZED (
    SELECT to_tsquery('simple', $5::text) || plainto_tsquery('english', $6::text) AS words),
found AS MATERIALIZED (
    (SELECT s.crate_id FROM crate_search s
      WHERE $3::text = '' AND s.project_id = ANY ($2::bigint[]) ORDER BY s.normalized_name LIMIT 1000)
    UNION
    (SELECT s.crate_id FROM crate_search s
      WHERE $3 <> '' AND s.normalized_name LIKE coalesce($4::text, $3 || '%') AND s.project_id = ANY ($2)
            LIMIT 500)
    UNION
    (SELECT s.crate_id FROM crate_search s
      WHERE $3 <> '' AND s.document @@ (SELECT words FROM asked) AND s.project_id = ANY ($2) LIMIT 500)),
ranked AS MATERIALIZED (
    SELECT s.crate_id, s.normalized_name,
           CASE WHEN $3 = '' THEN 0
                ELSE greatest(search_name_rank(s.normalized_name, $3),
                              ts_rank('{0,0.4,0.5,0.6}', s.document, a.words)) * (1 + s.weight) END AS score
      FROM asked a CROSS JOIN found f JOIN crate_search s ON s.crate_id = f.crate_id
     CROSS JOIN LATERAL view_project($1::bigint, s.normalized_name COLLATE "default") h
     WHERE h.project_id = s.project_id),
page AS (
    SELECT * FROM ranked ORDER BY score DESC, normalized_name LIMIT $7::bigint OFFSET $8::bigint)
SELECT t.total, s.name, s.max_version, s.description
  FROM (SELECT count(*) AS total FROM ranked) t
  LEFT JOIN (page p JOIN crate_search s ON s.crate_id = p.crate_id) ON true
 ORDER BY p.score DESC, p.normalized_name;
