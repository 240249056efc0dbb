-- name: access_facts
-- $1 digest of the token or null, $2 id of the project or null, $3 its full path or null.
-- All that the decision needs, in one row, always one row.  Each join is a look-up by a unique
-- index (tokens.digest, users.id, projects.id or projects.full_path, groups.id); the level is
-- the highest of the few memberships of one user, found by members_group and members_project.
SELECT t.id, t.kind, t.user_id, u.username,
       t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now()) AND u.state = 'active',
       coalesce(u.is_admin, false),
       coalesce('api' = ANY (t.scopes), false), coalesce('read_api' = ANY (t.scopes), false),
       p.id, p.full_path, p.visibility, p.packages_enabled, p.public_packages,
       coalesce((SELECT max(m.access_level) FROM members m
                  WHERE m.user_id = t.user_id
                    AND (m.project_id = p.id OR m.group_id = ANY (g.ancestor_ids))
                    AND (m.expires_at IS NULL OR m.expires_at > now())), 0)
  FROM (SELECT $1::bytea AS digest,
               coalesce($2::bigint, (SELECT id FROM projects WHERE lower(full_path) = lower($3::text))) AS project) q
  LEFT JOIN tokens t ON t.digest = q.digest
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN projects p ON p.id = q.project
  LEFT JOIN groups g ON g.id = p.group_id;
