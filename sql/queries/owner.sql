-- part: crate_owners_of
-- The owners of crate c: members of the project, or of a group above it, whose role makes them owners
-- (members_in_project and members_in_group, few from that level on), and the users of the crate's own rows
-- (primary key of crate_owners).  Users by primary key.
SELECT u.id, u.username, u.name, u.email, max(h.level) AS level
  FROM (SELECT m.user_id, m.access_level AS level FROM members m
         WHERE m.project_id = c.project_id AND m.access_level >= 40
           AND (m.expires_at IS NULL OR m.expires_at > now())
         UNION ALL
        SELECT m.user_id, m.access_level FROM members m
         WHERE m.group_id = ANY ((SELECT g.ancestor_ids FROM projects p JOIN groups g ON g.id = p.group_id
                                   WHERE p.id = c.project_id)::bigint[]) AND m.access_level >= 40
           AND (m.expires_at IS NULL OR m.expires_at > now())
         UNION ALL
        SELECT k.user_id, 0 FROM crate_owners k WHERE k.crate_id = c.id) h
  JOIN users u ON u.id = h.user_id
 WHERE u.state = 'active'
 GROUP BY u.id

-- name: owner_list
-- $1 project, $2 normalized name of the crate.  No row if the crate does not exist; otherwise one for each
-- owner, or one without a user if it has none.
SELECT c.name AS crate, o.id AS user_id, o.username, o.name, o.email, o.level
  FROM crates c LEFT JOIN LATERAL (@crate_owners_of) o ON true
 WHERE c.project_id = $1 AND c.normalized_name = $2
 ORDER BY o.level DESC, lower(o.username);

-- name: owner_find
-- $1 crate (locked), $2 at most ten usernames.  One row for each of them, in their order: the user, the
-- role in the crate's project or above it, and whether the user owns the crate itself.  Each is a look-up
-- by a unique index: users_username, members_project, members_group, the primary key of crate_owners.
SELECT n.name AS named, u.id AS user_id, u.username, u.state = 'active' AS active,
       coalesce((SELECT max(m.access_level) FROM members m
                  WHERE m.user_id = u.id
                    AND (m.project_id = p.id OR m.group_id = ANY (g.ancestor_ids))
                    AND (m.expires_at IS NULL OR m.expires_at > now())), 0) AS level,
       k.user_id IS NOT NULL AS granted
  FROM unnest($2::text[]) WITH ORDINALITY AS n (name, place)
  JOIN crates c ON c.id = $1
  JOIN projects p ON p.id = c.project_id
  JOIN groups g ON g.id = p.group_id
  LEFT JOIN users u ON lower(u.username) = lower(n.name)
  LEFT JOIN crate_owners k ON k.crate_id = c.id AND k.user_id = u.id
 ORDER BY n.place;

-- name: owner_grant
-- $1 crate (locked), $2 user.  One row by the primary key; a repetition changes nothing.
INSERT INTO crate_owners (crate_id, user_id, project_id)
SELECT id, $2, project_id FROM crates WHERE id = $1
    ON CONFLICT (crate_id, user_id) DO NOTHING;

-- name: owner_take
-- $1 crate (locked), $2 user.  One row by primary key.
DELETE FROM crate_owners WHERE crate_id = $1 AND user_id = $2;

-- name: owner_check
-- $1 project, $2 normalized name, $3 user, or null if the role suffices.  Two look-ups by unique indexes.
-- Asked in the transaction that changes the crate, as a separate statement after the crate was locked, so
-- that it sees the owners of that moment.
SELECT $3::bigint IS NULL
       OR EXISTS (SELECT 1 FROM crates c JOIN crate_owners k ON k.crate_id = c.id
                   WHERE c.project_id = $1 AND c.normalized_name = $2 AND k.user_id = $3) AS is_owner;
