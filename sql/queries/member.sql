-- name: member_find
-- $1 full path.  Always one row: two look-ups by the unique indexes groups_full_path and projects_full_path.
SELECT (SELECT id FROM groups WHERE lower(full_path) = lower($1)) AS found_group,
       (SELECT id FROM projects WHERE lower(full_path) = lower($1)) AS found_project;

-- name: member_set_group
-- $1 user, $2 group, $3 level, $4 end as seconds since 1970 or null.  One row by the unique index
-- members_group, new or changed; returns none if nothing changes.
INSERT INTO members (user_id, group_id, access_level, expires_at)
VALUES ($1, $2, $3, to_timestamp($4::bigint))
    ON CONFLICT (user_id, group_id) WHERE group_id IS NOT NULL
    DO UPDATE SET access_level = excluded.access_level, expires_at = excluded.expires_at
    WHERE (members.access_level, members.expires_at)
          IS DISTINCT FROM (excluded.access_level, excluded.expires_at)
RETURNING user_id AS id, true AS changed;

-- name: member_set_project
-- As member_set_group, by the unique index members_project.
INSERT INTO members (user_id, project_id, access_level, expires_at)
VALUES ($1, $2, $3, to_timestamp($4::bigint))
    ON CONFLICT (user_id, project_id) WHERE project_id IS NOT NULL
    DO UPDATE SET access_level = excluded.access_level, expires_at = excluded.expires_at
    WHERE (members.access_level, members.expires_at)
          IS DISTINCT FROM (excluded.access_level, excluded.expires_at)
RETURNING user_id AS id, true AS changed;

-- name: member_remove
-- $1 user, $2 group or null, $3 project or null.  At most one row, by the unique index members_group or
-- members_project.
DELETE FROM members WHERE user_id = $1 AND (group_id = $2 OR project_id = $3)
RETURNING user_id AS id, true AS changed;

-- name: member_list
-- $1 full path of a group or project, or null for all.  For an administrator at a terminal: a scan
-- of members, names by primary keys.
DECLARE listing NO SCROLL CURSOR WITH HOLD FOR
SELECT m.user_id, u.username, coalesce(g.full_path, p.full_path) AS path, m.access_level,
       extract(epoch FROM m.expires_at)::bigint AS expires_at
  FROM members m
  JOIN users u ON u.id = m.user_id
  LEFT JOIN groups g ON g.id = m.group_id
  LEFT JOIN projects p ON p.id = m.project_id
 WHERE $1::text IS NULL OR lower(coalesce(g.full_path, p.full_path)) = lower($1)
 ORDER BY lower(coalesce(g.full_path, p.full_path)), lower(u.username);
