-- name: flag_set
-- $1 name, $2 percentage, for all projects.  One row by feature_flags_all; returns none if the flag has
-- this value already.
INSERT INTO feature_flags (name, percentage) VALUES ($1, $2)
    ON CONFLICT (name) WHERE project_id IS NULL
    DO UPDATE SET percentage = excluded.percentage, changed_at = now()
    WHERE feature_flags.percentage <> excluded.percentage
RETURNING id, true AS changed;

-- name: flag_set_project
-- $1 name, $2 percentage, $3 project.  As flag_set, by feature_flags_project.
INSERT INTO feature_flags (name, percentage, project_id) VALUES ($1, $2, $3)
    ON CONFLICT (project_id, name) WHERE project_id IS NOT NULL
    DO UPDATE SET percentage = excluded.percentage, changed_at = now()
    WHERE feature_flags.percentage <> excluded.percentage
RETURNING id, true AS changed;

-- name: flag_unset
-- $1 name, $2 project or null.  At most one row, by feature_flags_all or feature_flags_project.
DELETE FROM feature_flags WHERE name = $1 AND project_id IS NOT DISTINCT FROM $2
RETURNING id, true AS changed;

-- name: flag_list
-- All flags, for an administrator at a terminal: a scan of a small table, projects by primary key.
SELECT f.name, f.percentage, p.full_path AS project, extract(epoch FROM f.changed_at)::bigint AS changed_at
  FROM feature_flags f LEFT JOIN projects p ON p.id = f.project_id
 ORDER BY f.name, lower(p.full_path) NULLS FIRST;

-- name: flag_rows
-- The flags that are set for all projects, in the form of the facts of access.sql: the few rows of
-- feature_flags_all.
SELECT string_agg(name || '=' || percentage, ' ') AS flags FROM feature_flags WHERE project_id IS NULL;

-- name: flag_project
-- $1 full path.  By the unique index projects_full_path.
SELECT id FROM projects WHERE lower(full_path) = lower($1);
