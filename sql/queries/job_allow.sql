-- name: job_allow_find
-- $1 full path of a project, $2 full path of a group or project.  One row: the project, and the group or
-- project.  The project stays locked, so that entries are counted and added one after the other; publishes
-- do not wait for that.  Unique indexes projects_full_path and groups_full_path.
SELECT p.id AS project_id, (SELECT id FROM groups WHERE lower(full_path) = lower($2)) AS from_group,
       (SELECT id FROM projects WHERE lower(full_path) = lower($2)) AS from_project
  FROM projects p WHERE lower(p.full_path) = lower($1) FOR NO KEY UPDATE OF p;

-- name: job_allow_count
-- $1 project (locked).  A scan of a small table, now and then, for an administrator.
SELECT count(*) AS count FROM job_token_allowlist WHERE project_id = $1;

-- name: job_allow_remove
-- $1 project (locked), $2 group or null, $3 project or null.  At most one row, by the unique index
-- job_token_allowlist_group or job_token_allowlist_project.
DELETE FROM job_token_allowlist
 WHERE project_id = $1 AND (from_group_id = $2 OR from_project_id = $3);

-- name: job_allow_add
-- $1 project (locked), $2 group or null, $3 project or null, $4 policies with commas.
INSERT INTO job_token_allowlist (project_id, from_group_id, from_project_id, policies)
VALUES ($1, $2, $3, string_to_array($4, ','));

-- name: job_allow_list
-- $1 full path of a project.  For an administrator at a terminal: a scan of a small
-- table, names by primary keys.
SELECT coalesce(fg.full_path, fp.full_path) AS from_path, 'admin_packages' = ANY (a.policies) AS admin,
       a.from_group_id, a.from_project_id
  FROM projects p
  JOIN job_token_allowlist a ON a.project_id = p.id
  LEFT JOIN groups fg ON fg.id = a.from_group_id
  LEFT JOIN projects fp ON fp.id = a.from_project_id
 WHERE lower(p.full_path) = lower($1)
 ORDER BY lower(coalesce(fg.full_path, fp.full_path));

-- name: job_allow_limited
-- $1 project.  One row by primary key.
SELECT job_token_limited FROM projects WHERE id = $1;

-- name: job_allow_limit
-- $1 project, $2 whether its allow-list is on.  One row by primary key, locked before it is read, to tell
-- whether anything changes.
WITH old AS (SELECT id, job_token_limited FROM projects WHERE id = $1 FOR NO KEY UPDATE)
UPDATE projects p SET job_token_limited = $2 FROM old WHERE p.id = old.id
RETURNING p.id, old.job_token_limited <> $2 AS changed;
