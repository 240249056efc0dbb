-- name: imported_replan
-- Makes the session plan its statements anew.  A plan for a table with few rows reads the whole table, and
-- a session keeps its plans until somebody analyzes the table; an import fills empty tables faster than
-- that happens.  Reads no row.
DISCARD PLANS;

-- name: imported_downloads
-- $1 project, $2 normalized name, $3 versions without build metadata and $4 the number of downloads of
-- each in the registry that the import reads.  They count on a day of their own, before any other day, so
-- that a second import finds them; if several registries have the version, the largest number counts.  The
-- time of the last download is not known, so the version counts as unused from the import on.  Versions by
-- the unique indexes crates (project_id, normalized_name) and versions (crate_id, version_base), rows by
-- primary key and in its order.
INSERT INTO download_days AS d (crate_id, version_id, day, project_id, downloads, last_at)
SELECT c.id, v.id, '1970-01-01', c.project_id, max(n.downloads), now()
  FROM unnest($3::text[], $4::bigint[]) AS n (version_base, downloads)
  JOIN crates c ON c.project_id = $1 AND c.normalized_name = $2
  JOIN versions v ON v.crate_id = c.id AND v.version_base = n.version_base
 GROUP BY c.id, v.id
 ORDER BY c.id, v.id
    ON CONFLICT (crate_id, version_id, day) DO UPDATE
   SET downloads = excluded.downloads WHERE d.downloads < excluded.downloads;

-- name: imported_owners
-- $1 project, $2 normalized name, $3 usernames.  The names that do not own the crate yet, by their role or
-- as an owner of the crate, and whether each is an active user here: by the unique indexes users_username
-- and crates (project_id, normalized_name), the primary key of crate_owners, and members_user.
SELECT n.name, coalesce(u.state = 'active', false) AS active
  FROM unnest($3::text[]) WITH ORDINALITY AS n (name, place)
  LEFT JOIN users u ON lower(u.username) = lower(n.name)
 WHERE u.id IS NULL
    OR NOT EXISTS (SELECT FROM crates c JOIN crate_owners k ON k.crate_id = c.id
                    WHERE c.project_id = $1 AND c.normalized_name = $2 AND k.user_id = u.id)
   AND NOT EXISTS (SELECT FROM projects p JOIN groups g ON g.id = p.group_id
                     JOIN members m ON m.project_id = p.id OR m.group_id = ANY (g.ancestor_ids)
                    WHERE p.id = $1 AND m.user_id = u.id AND m.access_level >= 40
                      AND (m.expires_at IS NULL OR m.expires_at > now()))
 ORDER BY n.place;
