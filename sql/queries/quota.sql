-- name: quota_charge
-- $1 project, $2 bytes, $3 versions, $4 crates, each of which may be negative.  The rows of the project
-- and of all groups above it, by quotas_project and quotas_group; mostly there are none.  They are locked
-- in the order of their ids until the transaction ends, so that two publishes together cannot exceed a
-- quota.
WITH mine AS (
	SELECT q.id FROM quotas q
	 WHERE q.project_id = $1
	    OR q.group_id = ANY ((SELECT g.ancestor_ids FROM projects p JOIN groups g ON g.id = p.group_id
	                           WHERE p.id = $1)::bigint[])
	 ORDER BY q.id FOR UPDATE
)
UPDATE quotas q
   SET used_bytes = q.used_bytes + $2, used_versions = q.used_versions + $3,
       used_crates = q.used_crates + $4
  FROM mine
 WHERE q.id = mine.id
RETURNING coalesce((SELECT full_path FROM projects WHERE id = q.project_id),
                   (SELECT full_path FROM groups WHERE id = q.group_id)) AS namespace,
          q.max_bytes, q.max_versions, q.max_crates, q.used_bytes, q.used_versions, q.used_crates;

-- name: quota_look
-- $1 project, $2 bytes of a version of the crate with $3 as normalized name, or null.  The answer that
-- quota_charge would give; it charges and locks nothing.
SELECT coalesce((SELECT full_path FROM projects WHERE id = q.project_id),
                (SELECT full_path FROM groups WHERE id = q.group_id)) AS namespace,
       q.max_bytes, q.max_versions, q.max_crates, q.used_bytes + $2 AS used_bytes,
       q.used_versions + 1 AS used_versions,
       q.used_crates + CASE WHEN EXISTS (SELECT FROM crates c WHERE c.project_id = $1
                                AND c.normalized_name = $3::text AND c.deleted_at IS NULL)
                            THEN 0 ELSE 1 END AS used_crates
  FROM quotas q
 WHERE q.project_id = $1
    OR q.group_id = ANY ((SELECT g.ancestor_ids FROM projects p JOIN groups g ON g.id = p.group_id
                           WHERE p.id = $1)::bigint[])
 ORDER BY q.id;

-- name: quota_namespace
-- $1 full path.  A project or a group: unique indexes projects_full_path and groups_full_path.
SELECT (SELECT id FROM projects WHERE lower(full_path) = lower($1)) AS project_id,
       (SELECT id FROM groups WHERE lower(full_path) = lower($1)) AS group_id;

-- name: quota_lock
-- Waits until running publishes and deletions have ended, and keeps others waiting until the transaction
-- ends.  A publish charges quotas after it has added its version: either the version is counted, or the
-- publish sees the quota.
LOCK TABLE versions IN SHARE MODE;

-- name: quota_set
-- $1 project or null, $2 group or null, $3, $4, $5 bytes, versions, crates: null does not change a limit,
-- -1 removes it.  One row by quotas_project or quotas_group, created if it does not exist. versions is
-- locked.
WITH there AS (
	UPDATE quotas
	   SET max_bytes = CASE WHEN $3::bigint IS NULL THEN max_bytes ELSE nullif($3, -1) END,
	       max_versions = CASE WHEN $4::bigint IS NULL THEN max_versions ELSE nullif($4, -1) END,
	       max_crates = CASE WHEN $5::bigint IS NULL THEN max_crates ELSE nullif($5, -1) END
	 WHERE project_id = $1 OR group_id = $2
	RETURNING id
)
INSERT INTO quotas (project_id, group_id, max_bytes, max_versions, max_crates)
SELECT $1, $2, nullif($3::bigint, -1), nullif($4::bigint, -1), nullif($5::bigint, -1)
 WHERE NOT EXISTS (SELECT FROM there);

-- name: quota_drop
-- $1 project or null, $2 group or null.  Removes a quota that has no limit.
DELETE FROM quotas
 WHERE (project_id = $1 OR group_id = $2) AND num_nonnulls(max_bytes, max_versions, max_crates) = 0;

-- name: quota_recount
-- $1 project or null, $2 group or null.  Counts versions, for an administrator, while versions is locked
-- and everybody waits: so it reads only the crates of the projects, by (project_id, normalized_name), and
-- the versions of each, by (crate_id, version_base).
UPDATE quotas q
   SET used_bytes = s.bytes, used_versions = s.versions, used_crates = s.crates
  FROM (SELECT coalesce(sum(v.bytes), 0)::bigint AS bytes, coalesce(sum(v.versions), 0)::bigint AS versions,
               count(*) FILTER (WHERE v.versions > 0) AS crates
          FROM crates c
         CROSS JOIN LATERAL (SELECT sum(size) AS bytes, count(*) AS versions FROM versions
                              WHERE crate_id = c.id AND status <> 'pending_destruction') v
         WHERE c.project_id = ANY (ARRAY(SELECT p.id FROM projects p JOIN groups g ON g.id = p.group_id
                                          WHERE p.id = $1 OR g.ancestor_ids @> ARRAY[$2::bigint]))) s
 WHERE q.project_id = $1 OR q.group_id = $2;

-- name: quota_list
-- All quotas, or with $1 that of the project or group with this path, for an administrator at a terminal:
-- a scan of a small table, projects and groups by primary keys.
SELECT coalesce(p.full_path, g.full_path) AS namespace, q.max_bytes, q.max_versions, q.max_crates,
       q.used_bytes, q.used_versions, q.used_crates
  FROM quotas q
  LEFT JOIN projects p ON p.id = q.project_id
  LEFT JOIN groups g ON g.id = q.group_id
 WHERE $1::text IS NULL OR lower(coalesce(p.full_path, g.full_path)) = lower($1)
 ORDER BY 1;
