-- name: namespace_member_list
-- $1 project or null, $2 group or null, $3 whether members of the groups above count as well, $4 user or
-- null for all, $5 part of a name or null.  By members_of_project and members_of_group, users by primary
-- key; if a user has several memberships, the highest counts.
SELECT DISTINCT ON (lower(u.username))
       u.id AS user_id, u.username, u.name, u.state, m.access_level,
       to_char(m.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS expires_at,
       extract(epoch FROM m.expires_at)::bigint AS ends_at,
       to_char(m.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at
  FROM members m JOIN users u ON u.id = m.user_id
 WHERE (m.project_id = $1::bigint
        OR m.group_id = ANY (CASE WHEN NOT $3::boolean THEN ARRAY[$2::bigint]
               ELSE (SELECT g.ancestor_ids FROM groups g
                      WHERE g.id = coalesce($2, (SELECT group_id FROM projects WHERE id = $1))) END))
   AND (m.expires_at IS NULL OR m.expires_at > now())
   AND ($4::bigint IS NULL OR u.id = $4)
   AND ($5::text IS NULL OR position(lower($5) IN lower(u.username)) > 0
        OR position(lower($5) IN lower(u.name)) > 0)
 ORDER BY lower(u.username), m.access_level DESC
 LIMIT 10000;

-- name: namespace_member_lock_namespace
-- $1 project or null, $2 group or null.  Locks the row of the project or group, so that its members are
-- changed one after the other; publishes do not wait for that.  By primary key.
SELECT (SELECT p.id FROM (SELECT id FROM projects WHERE id = $1::bigint FOR NO KEY UPDATE) p),
       (SELECT g.id FROM (SELECT id FROM groups WHERE id = $2::bigint FOR NO KEY UPDATE) g);

-- name: namespace_member_find
-- $1 project or null, $2 group or null, $3 user or null, $4 user name or null.  Always one row: the user,
-- their level here and its end, unless the membership has ended, and whether the project or group has
-- another active owner, here or above.  Primary key or unique index users_username; members_project,
-- members_group; members_of_project, members_of_group.
SELECT u.id AS user_id, u.username, h.access_level, extract(epoch FROM h.expires_at)::bigint AS expires_at,
       EXISTS (SELECT FROM members m JOIN users o ON o.id = m.user_id AND o.state = 'active'
         WHERE (m.project_id = $1 OR m.group_id = ANY ((SELECT g.ancestor_ids FROM groups g
                 WHERE g.id = coalesce($2, (SELECT group_id FROM projects WHERE id = $1)))::bigint[]))
           AND m.access_level = 50 AND m.user_id <> u.id
           AND (m.expires_at IS NULL OR m.expires_at > now())) AS has_other_owner
  FROM (SELECT) AS one
  LEFT JOIN users u ON u.id = $3::bigint OR lower(u.username) = lower($4::text)
  LEFT JOIN members h ON h.user_id = u.id AND (h.project_id = $1::bigint OR h.group_id = $2::bigint)
   AND (h.expires_at IS NULL OR h.expires_at > now());
