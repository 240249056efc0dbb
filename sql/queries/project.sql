-- name: project_add
-- $1 group (locked), $2 path, $3 visibility.  No row if a project (unique index projects_full_path) or a
-- group (index groups_full_path) has the path.
INSERT INTO projects (group_id, path, full_path, visibility)
SELECT g.id, $2, g.full_path || '/' || $2, $3
  FROM groups g
 WHERE g.id = $1
   AND NOT EXISTS (SELECT FROM groups o WHERE lower(o.full_path) = lower(g.full_path || '/' || $2))
    ON CONFLICT (lower(full_path)) DO NOTHING
RETURNING id;

-- name: project_set
-- $1 full path; $2 visibility, $3 packages_enabled, $4 public_packages, $6 anonymous_networks, $7
-- readme_images, each null for no change; $5 an object with keys of the policy, in which null removes a key.
-- One row by the unique index projects_full_path, locked before it is read, to tell whether anything changes.
WITH old AS (SELECT * FROM projects WHERE lower(full_path) = lower($1) FOR UPDATE)
UPDATE projects p
   SET visibility = coalesce($2, p.visibility),
       packages_enabled = coalesce($3, p.packages_enabled),
       public_packages = coalesce($4, p.public_packages),
       policy = jsonb_strip_nulls(p.policy || coalesce($5::jsonb, '{}')),
       anonymous_networks = coalesce($6, p.anonymous_networks),
       readme_images = coalesce($7, p.readme_images)
  FROM old
 WHERE p.id = old.id
RETURNING p.id,
          (p.visibility, p.packages_enabled, p.public_packages, p.policy, p.anonymous_networks,
           p.readme_images)
          <> (old.visibility, old.packages_enabled, old.public_packages, old.policy, old.anonymous_networks,
              old.readme_images) AS changed;

-- name: project_policy
-- $1 full path.  One row by the unique index projects_full_path.
SELECT policy::text AS policy FROM projects WHERE lower(full_path) = lower($1);

-- part: project_columns
-- A project in the form of berth(1).
id, full_path, visibility, packages_enabled, public_packages,
extract(epoch FROM created_at)::bigint AS created_at, anonymous_networks, readme_images,
policy ->> 'mirror_url' AS mirror_url

-- name: project_find
-- $1 full path.  One row by the unique index projects_full_path.
SELECT @project_columns FROM projects WHERE lower(full_path) = lower($1);

-- name: project_list
-- All projects, by the unique index projects_full_path; for an administrator at a terminal.
DECLARE listing NO SCROLL CURSOR WITH HOLD FOR
SELECT @project_columns FROM projects ORDER BY lower(full_path);

-- name: project_entries
-- $1 ids.  The projects in the form that clients see, in the order of the ids: by primary keys.
SELECT p.id, p.path, p.full_path, p.visibility, p.packages_enabled, p.public_packages,
       to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
       g.id AS group_id, g.path AS group_path, g.full_path AS group_full_path, g.parent_id,
       p.anonymous_networks,
       p.readme_images
  FROM unnest($1::bigint[]) WITH ORDINALITY AS q (id, place)
  JOIN projects p ON p.id = q.id
  JOIN groups g ON g.id = p.group_id
 ORDER BY q.place;
