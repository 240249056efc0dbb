-- name: group_lock
-- $1 full path.  The row stays locked until the transaction ends, so groups and projects below one group
-- are created one after the other, and a group and a project cannot both get a path.  By the unique index
-- groups_full_path.
SELECT id FROM groups WHERE lower(full_path) = lower($1) FOR UPDATE;

-- name: group_add
-- $1 parent (locked) or null, $2 path.  No row if a group (unique index groups_full_path) or a project
-- (index projects_full_path) has the path.  The id of the group is not known before its row exists, so
-- group_add_self puts it into ancestor_ids.
INSERT INTO groups (parent_id, path, full_path, ancestor_ids)
SELECT p.id, $2, coalesce(p.full_path || '/', '') || $2, coalesce(p.ancestor_ids, '{}')
  FROM (SELECT $1::bigint AS id) q
  LEFT JOIN groups p ON p.id = q.id
 WHERE NOT EXISTS (SELECT FROM projects
                    WHERE lower(full_path) = lower(coalesce(p.full_path || '/', '') || $2))
    ON CONFLICT (lower(full_path)) DO NOTHING
RETURNING id;

-- name: group_add_self
-- $1 group, new in this transaction.  By primary key.
UPDATE groups SET ancestor_ids = ancestor_ids || id WHERE id = $1;

-- name: group_set
-- $1 full path.  $2 anonymous_networks, $3 registry_projects and $4 the default project, of which 0 is
-- none; a null does not change the column.  One row by the unique index groups_full_path, which is locked
-- before it is read, to tell whether anything changes.
WITH old AS (SELECT * FROM groups WHERE lower(full_path) = lower($1) FOR UPDATE)
UPDATE groups g
   SET anonymous_networks = coalesce($2, g.anonymous_networks),
       registry_projects = coalesce($3::bigint[], g.registry_projects),
       default_project_id = CASE WHEN $4::bigint IS NULL THEN g.default_project_id ELSE nullif($4, 0) END
  FROM old
 WHERE g.id = old.id
RETURNING g.id, (g.anonymous_networks, g.registry_projects, g.default_project_id)
                IS DISTINCT FROM (old.anonymous_networks, old.registry_projects,
                                  old.default_project_id) AS changed;

-- name: group_find
-- $1 full path: by the unique index groups_full_path.
SELECT id FROM groups WHERE lower(full_path) = lower($1);

-- name: group_find_projects
-- $1 full path of a group, $2 full paths or ids of projects.  For each of these, in their order, the
-- project below the group, or null: by the unique indexes groups_full_path and projects_full_path and by
-- primary key.  No row if the group does not exist.
SELECT h.id, h.full_path
  FROM groups v CROSS JOIN unnest($2::text[]) WITH ORDINALITY AS n (word, place)
  LEFT JOIN LATERAL
       (SELECT p.id, p.full_path FROM projects p JOIN groups d ON d.id = p.group_id
         WHERE d.ancestor_ids @> ARRAY[v.id]
           AND p.id = coalesce((SELECT o.id FROM projects o WHERE lower(o.full_path) = lower(n.word)),
                               CASE WHEN n.word ~ '^[1-9][0-9]{0,17}$' THEN n.word::bigint END)) h ON true
 WHERE lower(v.full_path) = lower($1)
 ORDER BY n.place;

-- part: group_registry
-- The settings of the registry of group g, with projects as full paths, by primary key.
coalesce((SELECT string_agg(p.full_path, ' ' ORDER BY o.place)
            FROM unnest(g.registry_projects) WITH ORDINALITY AS o (id, place)
            JOIN projects p ON p.id = o.id), '')
AS registry_projects,
coalesce((SELECT p.full_path FROM projects p WHERE p.id = g.default_project_id), '') AS default_project

-- name: group_list
-- All groups, for an administrator at a terminal: a scan of a small table, sorted in memory.
SELECT g.id, g.full_path, g.parent_id, extract(epoch FROM g.created_at)::bigint AS created_at,
       g.anonymous_networks,
       @group_registry
  FROM groups g ORDER BY lower(g.full_path);

-- name: group_entries
-- $1 ids.  The groups in the form that clients see, in the order of the ids: by primary keys.
SELECT g.id, g.path, g.full_path, g.parent_id,
       to_char(g.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
       g.anonymous_networks, @group_registry
  FROM unnest($1::bigint[]) WITH ORDINALITY AS q (id, place) JOIN groups g ON g.id = q.id
 ORDER BY q.place;
