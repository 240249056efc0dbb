-- name: trust_lock
-- $1 id of a project or null, $2 its full path.  One row by the primary key or the unique index
-- projects_full_path; it stays locked, so that rules of one project are added one after the other.
SELECT id FROM projects
 WHERE id = $1 OR ($1::bigint IS NULL AND lower(full_path) = lower($2)) FOR NO KEY UPDATE;

-- name: trust_count
-- $1 project (locked), $2 URL of the issuer, $3 claims.  The number of its rules, and the one with this
-- issuer and these claims, or null.  At most 50 rows by trust_rules_project; a separate statement after the
-- lock, so that it sees what was committed before.
SELECT count(*) AS count, min(r.id) FILTER (WHERE i.url = $2 AND r.claims = $3::jsonb) AS same
  FROM trust_rules r JOIN trusted_issuers i ON i.id = r.issuer_id WHERE r.project_id = $1;

-- name: trust_add
-- $1 project (locked), $2 URL of the issuer, $3 claims, $4 patterns of crates or null and $5 operations,
-- with commas, $6 username or null.  No row if issuer or user does not exist (unique indexes); the issuer
-- cannot be removed during this statement.
INSERT INTO trust_rules (project_id, issuer_id, claims, crate_patterns, operations, user_id)
SELECT $1, i.id, $3::jsonb, string_to_array($4, ','), string_to_array($5, ','), u.id
  FROM trusted_issuers i LEFT JOIN users u ON lower(u.username) = lower($6::text)
 WHERE i.url = $2 AND ($6 IS NULL OR u.id IS NOT NULL)
   FOR KEY SHARE OF i
RETURNING id;

-- name: trust_remove
-- $1 id of a project or null, $2 its full path, $3 rule.  One row by the primary key, and the project's.
-- Tokens lose the rule by tokens_trust_rule, and are then no longer valid.
DELETE FROM trust_rules r USING projects p
 WHERE r.id = $3 AND p.id = r.project_id
   AND (p.id = $1 OR ($1::bigint IS NULL AND lower(p.full_path) = lower($2)))
RETURNING p.id;

-- name: trust_list
-- $1 id of a project or null, $2 its full path.  A row without a rule if the project has none, no row if
-- the project does not exist: primary key or projects_full_path, then trust_rules_project.
SELECT r.id, i.url, i.kind, r.claims::text, array_to_string(r.crate_patterns, ',') AS crates,
       array_to_string(r.operations, ',') AS operations, u.username, r.owner_id,
       extract(epoch FROM r.created_at)::bigint AS created_at
  FROM projects p
  LEFT JOIN trust_rules r ON r.project_id = p.id
  LEFT JOIN trusted_issuers i ON i.id = r.issuer_id
  LEFT JOIN users u ON u.id = r.user_id
 WHERE p.id = $1 OR ($1::bigint IS NULL AND lower(p.full_path) = lower($2))
 ORDER BY r.id;

-- name: trust_of_issuer
-- $1 id of a project or null, $2 its full path, $3 issuer.  The at most 50 rules of one project by
-- trust_rules_project, in the order in which they are tried.
SELECT r.id, r.claims::text, r.owner_id, r.project_id
  FROM projects p JOIN trust_rules r ON r.project_id = p.id AND r.issuer_id = $3
 WHERE p.id = $1 OR ($1::bigint IS NULL AND lower(p.full_path) = lower($2))
 ORDER BY r.id;

-- name: trust_of_group
-- $1 id of a group or null, $2 its full path, $3 issuer.  The rules of all projects below the group, up to
-- 5000, in the order in which they are tried: those of its default project come first.  The groups by
-- groups_ancestor_ids, their projects by projects_group, and their rules by trust_rules_project.
SELECT r.id, r.claims::text, r.owner_id, r.project_id
  FROM groups v
  JOIN groups d ON d.ancestor_ids @> ARRAY[v.id]
  JOIN projects p ON p.group_id = d.id
  JOIN trust_rules r ON r.project_id = p.id AND r.issuer_id = $3
 WHERE v.id = coalesce($1::bigint, (SELECT id FROM groups WHERE lower(full_path) = lower($2::text)))
 ORDER BY p.id IS NOT DISTINCT FROM v.default_project_id DESC, r.id LIMIT 5000;

-- name: trust_pin
-- $1 rule, $2 owner.  By the primary key, once for each rule; no row if the rule has another owner.
UPDATE trust_rules SET owner_id = $2 WHERE id = $1 AND (owner_id IS NULL OR owner_id = $2)
RETURNING id;
