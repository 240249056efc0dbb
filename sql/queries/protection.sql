-- name: protection_find
-- $1 project, $2 normalized name, $3 the level of the publisher.  The strictest rule that refuses this
-- level, if there is one: the at most 100 rules of one project, by the index of the unique constraint
-- (project_id, normalized_pattern).  Asked in the transaction that publishes, as a separate statement, so
-- that it sees the rules of that moment.
SELECT package_name_pattern AS pattern, minimum_access_level_for_push AS level
  FROM protection_rules
 WHERE project_id = $1 AND minimum_access_level_for_push > $3::bigint AND $2::text LIKE name_like
 ORDER BY minimum_access_level_for_push DESC, id
 LIMIT 1;

-- name: protection_find_delete
-- As protection_find, for deletions.
SELECT package_name_pattern AS pattern, minimum_access_level_for_delete AS level
  FROM protection_rules
 WHERE project_id = $1 AND minimum_access_level_for_delete > $3::bigint AND $2::text LIKE name_like
 ORDER BY minimum_access_level_for_delete DESC, id
 LIMIT 1;

-- name: protection_lock
-- $1 full path.  One row of projects by the unique index projects_full_path; it stays locked until
-- the transaction ends, so that rules of one project are added one after the other.
SELECT id FROM projects WHERE lower(full_path) = lower($1) FOR NO KEY UPDATE;

-- name: protection_count
-- $1 project (locked).  At most 100 rows by the index of the unique constraint; a separate statement after
-- the lock, since a statement that waits for a lock does not see what was committed during the wait.
SELECT count(*) AS count FROM protection_rules WHERE project_id = $1;

-- name: protection_add
-- $1 project (locked), $2 pattern, $3 pattern in normal form, $4 level for push or null, $5 for
-- delete or null.  No row if the project has such a rule: the unique constraint decides.
INSERT INTO protection_rules (project_id, package_name_pattern, normalized_pattern,
       minimum_access_level_for_push, minimum_access_level_for_delete)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (project_id, normalized_pattern) DO NOTHING
RETURNING id;

-- name: protection_remove
-- $1 full path, $2 rule.  One row by primary key, and the project's by its unique index.
DELETE FROM protection_rules r USING projects p
 WHERE r.id = $2 AND p.id = r.project_id AND lower(p.full_path) = lower($1)
RETURNING p.id AS project_id, r.package_name_pattern AS pattern,
          r.minimum_access_level_for_push AS push_level, r.minimum_access_level_for_delete AS delete_level;

-- part: rule_columns
--
-- What is read of each rule.
r.id, r.package_name_pattern AS pattern, r.minimum_access_level_for_push AS push_level,
r.minimum_access_level_for_delete AS delete_level, extract(epoch FROM r.created_at)::bigint AS created_at

-- name: protection_list
-- $1 full path.  A row without a rule if the project has none, no row if the project does not exist: the
-- unique indexes projects_full_path and (project_id, normalized_pattern).
SELECT @rule_columns
  FROM projects p LEFT JOIN protection_rules r ON r.project_id = p.id
 WHERE lower(p.full_path) = lower($1)
 ORDER BY r.id;

-- name: protection_get
-- $1 project (locked), $2 rule.  One row by primary key.
SELECT @rule_columns
  FROM protection_rules r WHERE r.id = $2 AND r.project_id = $1;

-- name: protection_change
-- $1 project (locked), $2 rule, $3 pattern, $4 pattern in normal form, $5 level for push or null, $6
-- for delete or null.  By primary key; no row where another rule has the pattern: the index of the
-- unique constraint (project_id, normalized_pattern).
UPDATE protection_rules r
   SET package_name_pattern = $3, normalized_pattern = $4, minimum_access_level_for_push = $5,
       minimum_access_level_for_delete = $6
 WHERE r.id = $2 AND r.project_id = $1
   AND NOT EXISTS (SELECT FROM protection_rules o
                    WHERE o.project_id = $1 AND o.normalized_pattern = $4 AND o.id <> $2);
