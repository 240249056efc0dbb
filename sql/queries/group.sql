-- name: group_lock
-- $1 full path.  The row stays locked until the transaction ends: whatever is made below one group
-- is made one after the other, so that a group and a project cannot both take a path.  By the
-- unique index groups_full_path.
SELECT id FROM groups WHERE lower(full_path) = lower($1) FOR UPDATE;

-- name: group_add
-- $1 parent (locked) or null, $2 path.  No row where a group (unique index groups_full_path) or a
-- project (index projects_full_path) has the path.  The group's own id is not known before the
-- row is there: group_add_self puts it into ancestor_ids.
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
-- $1 full path, $2 anonymous_networks.  One row by the unique index groups_full_path, locked before it is
-- looked at, to tell whether anything changes.
WITH old AS (SELECT * FROM groups WHERE lower(full_path) = lower($1) FOR UPDATE)
UPDATE groups g SET anonymous_networks = $2 FROM old
 WHERE g.id = old.id
RETURNING g.id, g.anonymous_networks <> old.anonymous_networks AS changed;

-- name: group_list
-- All groups, for an administrator at a terminal: a scan of a small table, sorted in memory.
SELECT id, full_path, parent_id, extract(epoch FROM created_at)::bigint AS created_at, anonymous_networks
  FROM groups ORDER BY lower(full_path);

-- name: group_entries
-- $1 ids.  The groups as clients see them, in the order of the ids: by primary keys.
SELECT g.id, g.path, g.full_path, g.parent_id,
       to_char(g.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
       g.anonymous_networks
  FROM unnest($1::bigint[]) WITH ORDINALITY AS q (id, place) JOIN groups g ON g.id = q.id
 ORDER BY q.place;
