-- part: viewer_memberships
-- User $1, who may be null, and the places where the user is a member, as caller_memberships of
-- access.sql.
caller AS MATERIALIZED (
	SELECT u.id, u.is_admin FROM users u WHERE u.id = $1::bigint AND u.state = 'active'
), mine AS MATERIALIZED (
	SELECT m.group_id, m.project_id, m.access_level FROM caller c JOIN members m ON m.user_id = c.id
	 WHERE m.expires_at IS NULL OR m.expires_at > now()
)

-- part: known_projects
-- Project p of group g, if the caller, a user or nobody, may see it or read its packages: the same as
-- ACTION_READ_NAMESPACE or ACTION_READ_PACKAGE of access_decide(), which decides again for the projects of
-- a page (a test compares the two).
projects p JOIN groups g ON g.id = p.group_id
 WHERE (p.visibility = 'public' OR p.public_packages
        OR (p.visibility = 'internal' AND EXISTS (SELECT FROM caller))
        OR EXISTS (SELECT FROM caller WHERE is_admin)
        OR p.id IN (SELECT project_id FROM mine WHERE project_id IS NOT NULL)
        OR g.ancestor_ids && ARRAY(SELECT group_id FROM mine WHERE group_id IS NOT NULL)
        OR p.id IN (SELECT k.project_id FROM caller c JOIN crate_owners k ON k.user_id = c.id))

-- part: readable_projects
-- The known projects whose packages the caller may read.  A guest of a private project may see it, but not
-- read its packages.
readable AS MATERIALIZED (
	SELECT p.id FROM projects p JOIN groups g ON g.id = p.group_id
	 WHERE p.packages_enabled
	   AND (p.visibility = 'public' OR p.public_packages
	        OR (p.visibility = 'internal' AND EXISTS (SELECT FROM caller))
	        OR EXISTS (SELECT FROM caller WHERE is_admin)
	        OR p.id IN (SELECT project_id FROM mine WHERE project_id IS NOT NULL AND access_level >= 20)
	        OR g.ancestor_ids && ARRAY(SELECT group_id FROM mine WHERE group_id IS NOT NULL AND access_level >= 20)
	        OR p.id IN (SELECT k.project_id FROM caller c JOIN crate_owners k ON k.user_id = c.id))
)

-- part: page_row
-- A row of a page: its part, its project, and columns whose meaning depends on the statement and the part.
f.part, f.project_id, f.name, f.version, f.about, f.at, f.number

-- name: page_front
-- $1 user or null, $2 how many rows of each part.  `project`: known projects, the user's own first, others
-- by path; sorted.  `new`: the newest versions of all readable projects, by versions_listed_time.  `used`:
-- the crates with the most weight in all readable projects, by crate_search_weight.
WITH @viewer_memberships, @readable_projects,
places AS (
    SELECT p.id, p.full_path,
           p.id IN (SELECT project_id FROM mine WHERE project_id IS NOT NULL)
           OR g.ancestor_ids && ARRAY(SELECT group_id FROM mine WHERE group_id IS NOT NULL) AS is_mine
      FROM @known_projects
     ORDER BY is_mine DESC, lower(p.full_path) LIMIT $2::bigint),
newest AS (
    SELECT v.* FROM readable r CROSS JOIN LATERAL (
           SELECT v.id, v.project_id, v.crate_id, v.published_at FROM versions v
            WHERE v.project_id = r.id AND v.status IN ('default', 'deprecated', 'error') AND v.status <> 'error'
            ORDER BY v.published_at DESC, v.id DESC LIMIT $2) v
     ORDER BY v.published_at DESC, v.id DESC LIMIT $2),
used AS (
    SELECT s.* FROM readable r CROSS JOIN LATERAL (
           SELECT s.crate_id, s.project_id, s.weight, s.normalized_name FROM crate_search s
            WHERE s.project_id = r.id AND s.weight > 0
            ORDER BY s.weight DESC LIMIT $2) s
     ORDER BY s.weight DESC, s.normalized_name LIMIT $2)
SELECT @page_row
  FROM (SELECT 'project' AS part, o.id AS project_id, NULL AS name, NULL AS version, NULL AS about,
               NULL::bigint AS at, o.is_mine::integer::bigint AS number,
               row_number() OVER (ORDER BY o.is_mine DESC, lower(o.full_path)) AS place
          FROM places o
         UNION ALL
        SELECT 'new', n.project_id, c.name, v.version, v.description,
               extract(epoch FROM n.published_at)::bigint, 0,
               row_number() OVER (ORDER BY n.published_at DESC, n.id DESC)
          FROM newest n JOIN versions v ON v.id = n.id JOIN crates c ON c.id = n.crate_id
         UNION ALL
        SELECT 'used', s.project_id, s.name, s.max_version, s.description, NULL, o.weight,
               row_number() OVER (ORDER BY o.weight DESC, o.normalized_name)
          FROM used o JOIN crate_search s ON s.crate_id = o.crate_id) f
 ORDER BY f.part, f.place;

-- part: search_compared
-- Columns of crate s that a search compares, read once.
s.crate_id, s.project_id, s.normalized_name, s.weight, s.document, s.keywords, s.license, s.rust, s.yanked

-- name: page_search
-- $1 user or null, $2 the name to search for, in normal form, $3 the pattern of it for LIKE or null, $4
-- words for to_tsquery, $5 the same words as text, $6 full path of a project or null for all, $7 how many,
-- $8 how many to skip.  The search can be narrowed; null does not narrow it: $9 a keyword, $10 a licence,
-- $11 the newest Rust that the crate may need, $12 yanked versions: 1 some, 2 all.  `crate`: crates of
-- readable projects whose name begins with $2, the first 100 by crate_search_first, whose name contains
-- it, by crate_search_trigrams, or that have the words, by crate_search_words; 500 of each kind at most,
-- or the first 1000 of each kind if the search is narrowed; ranked as in a search of one project.
-- `total`: how many.  `project`, `keyword`, `license`, `rust` (this version or an earlier one) and
-- `yanked`: values that narrow the search further, each with the number of crates that are left then.
WITH @viewer_memberships, @readable_projects,
meant AS MATERIALIZED (
    SELECT p.id FROM readable r JOIN projects p ON p.id = r.id
     WHERE $6::text IS NULL OR lower(p.full_path) = lower($6)),
asked AS MATERIALIZED (
    SELECT to_tsquery('simple', $4::text) || plainto_tsquery('english', $5::text) AS words,
           CASE num_nulls($9::text, $10::text, $11::bigint, $12::bigint) WHEN 4 THEN 500 ELSE 1000 END AS most),
found AS MATERIALIZED (
    SELECT DISTINCT ON (u.crate_id) u.*
      FROM ((SELECT @search_compared FROM crate_search s
              WHERE s.normalized_name >= $2::text AND s.normalized_name < $2 || '{'
                AND s.project_id IN (SELECT id FROM meant)
              ORDER BY s.normalized_name LIMIT 100)
            UNION ALL
            (SELECT @search_compared FROM crate_search s
              WHERE s.normalized_name LIKE $3::text AND s.project_id IN (SELECT id FROM meant)
              LIMIT (SELECT most FROM asked))
            UNION ALL
            (SELECT @search_compared FROM crate_search s
              WHERE s.document @@ (SELECT words FROM asked) AND s.project_id IN (SELECT id FROM meant)
              LIMIT (SELECT most FROM asked))) u
     WHERE ($9 IS NULL OR $9 = ANY (u.keywords)) AND ($10 IS NULL OR u.license = $10)
       AND ($11 IS NULL OR u.rust <= $11) AND ($12 IS NULL OR u.yanked >= $12)
     ORDER BY u.crate_id),
ranked AS MATERIALIZED (
    SELECT f.crate_id, f.project_id, f.normalized_name, f.keywords, f.license, f.rust, f.yanked,
           greatest(search_name_rank(f.normalized_name, $2::text),
                    ts_rank('{0,0.4,0.5,0.6}', f.document, a.words)) * (1 + f.weight) AS score
      FROM asked a CROSS JOIN found f),
page AS (
    SELECT r.crate_id, row_number() OVER (ORDER BY r.score DESC, r.normalized_name, r.crate_id) AS place
      FROM ranked r
     ORDER BY place LIMIT $7::bigint OFFSET $8::bigint),
facets AS (
    (SELECT 'project' AS part, r.project_id, NULL AS name, count(*) AS number,
            row_number() OVER (ORDER BY count(*) DESC, r.project_id) AS place
       FROM ranked r GROUP BY r.project_id ORDER BY place LIMIT 10)
    UNION ALL
    (SELECT 'keyword', NULL, k.word, count(*), row_number() OVER (ORDER BY count(*) DESC, k.word)
       FROM ranked r CROSS JOIN LATERAL unnest(r.keywords) AS k (word) GROUP BY k.word ORDER BY 5 LIMIT 10)
    UNION ALL
    (SELECT 'license', NULL, r.license, count(*), row_number() OVER (ORDER BY count(*) DESC, r.license)
       FROM ranked r WHERE r.license IS NOT NULL GROUP BY r.license ORDER BY 5 LIMIT 10)
    UNION ALL
    (SELECT 'rust', NULL, concat_ws('.', r.rust / 1000000, r.rust / 1000 % 1000, nullif(r.rust % 1000, 0)),
            (sum(count(*)) OVER (ORDER BY r.rust))::bigint, row_number() OVER (ORDER BY r.rust DESC)
       FROM ranked r WHERE r.rust IS NOT NULL GROUP BY r.rust ORDER BY 5 LIMIT 10)
    UNION ALL
    SELECT 'yanked', NULL, y.word, count(*), y.least
      FROM ranked r JOIN (VALUES (1, 'some'), (2, 'all')) y (least, word) ON r.yanked >= y.least
     GROUP BY y.word, y.least)
SELECT @page_row
  FROM (SELECT 'crate' AS part, s.project_id, s.name, s.max_version AS version, s.description AS about,
               NULL::bigint AS at, 0::bigint AS number, o.place
          FROM page o JOIN crate_search s ON s.crate_id = o.crate_id
         UNION ALL
        SELECT o.part, o.project_id, o.name, NULL, NULL, NULL, o.number, o.place FROM facets o
         UNION ALL
        SELECT 'total', NULL, NULL, NULL, NULL, NULL, count(*), 1 FROM ranked r) f
 ORDER BY f.part, f.place;

-- name: page_group
-- $1 user or null, $2 group, $3 whether to list members, $4 how many projects, $5 how many to skip.
-- `project`: known projects below the group, by path; the groups by groups_ancestor_ids, their projects by
-- projects_group.  `total`: how many.  `member`: the first 100 members of the group and of the groups
-- above it, by members_of_group; `number` is the highest level.
WITH @viewer_memberships,
places AS MATERIALIZED (
    SELECT p.id, p.full_path
      FROM @known_projects AND g.ancestor_ids @> ARRAY[$2::bigint])
SELECT @page_row
  FROM (SELECT * FROM (
            SELECT 'project' AS part, o.id AS project_id, NULL AS name, NULL AS version, NULL AS about,
                   NULL::bigint AS at, coalesce((SELECT sum(n.crates) FROM search_counts n WHERE n.project_id = o.id), 0)::bigint
                   AS number,
                   row_number() OVER (ORDER BY lower(o.full_path)) AS place
              FROM places o ORDER BY place LIMIT $4::bigint OFFSET $5::bigint) o
         UNION ALL
        SELECT 'total', NULL, NULL, NULL, NULL, NULL, count(*), 1 FROM places o
         UNION ALL
        (SELECT 'member', NULL, m.username, NULL, m.name, NULL, m.level,
                row_number() OVER (ORDER BY m.level DESC, lower(m.username))
           FROM (SELECT o.username, o.name, max(m.access_level)::bigint AS level
                   FROM members m JOIN users o ON o.id = m.user_id
                  WHERE $3::boolean AND o.state = 'active' AND (m.expires_at IS NULL OR m.expires_at > now())
                    AND m.group_id = ANY ((SELECT d.ancestor_ids FROM groups d WHERE d.id = $2)::bigint[])
                  GROUP BY o.id) m
          ORDER BY m.level DESC, lower(m.username) LIMIT 100)) f
 ORDER BY f.part, f.place;

-- name: page_project
-- $1 project, $2 whether to list crates, $3 whether to list members, $4 how many crates, $5 how many to
-- skip.  The caller has already decided who may see them.  `crate`: crates as search_all lists them, with
-- the time of the last change, by primary key.  `total`: how many.  `member`: the first 100 members of the
-- project and of the groups above it, by members_of_project and members_of_group.
WITH parts AS MATERIALIZED (
    SELECT part, sum(crates) OVER (ORDER BY part)::bigint AS upto, crates FROM search_counts
     WHERE project_id = $1::bigint AND $2::boolean),
first AS MATERIALIZED (
    SELECT chr(part / 256) || coalesce(chr(nullif(part % 256, 0)), '') AS name, $5::bigint - (upto - crates) AS skip
      FROM parts WHERE upto > $5::bigint ORDER BY part LIMIT 1),
page AS (
    SELECT s.crate_id, row_number() OVER (ORDER BY s.normalized_name) AS place
      FROM (SELECT s.crate_id, s.normalized_name FROM crate_search s
             WHERE s.project_id = $1 AND s.normalized_name >= (SELECT name FROM first)
             ORDER BY s.normalized_name LIMIT $4::bigint OFFSET (SELECT skip FROM first)) s)
SELECT @page_row
  FROM (SELECT 'crate' AS part, NULL::bigint AS project_id, s.name, s.max_version AS version,
               s.description AS about, extract(epoch FROM c.updated_at)::bigint AS at, 0::bigint AS number, o.place
          FROM page o JOIN crate_search s ON s.crate_id = o.crate_id JOIN crates c ON c.id = o.crate_id
         UNION ALL
        SELECT 'total', NULL, NULL, NULL, NULL, NULL, coalesce(max(o.upto), 0), 1 FROM parts o
         UNION ALL
        (SELECT 'member', NULL, m.username, NULL, m.name, NULL, m.level,
                row_number() OVER (ORDER BY m.level DESC, lower(m.username))
           FROM (SELECT o.username, o.name, max(m.access_level)::bigint AS level
                   FROM members m JOIN users o ON o.id = m.user_id
                  WHERE $3::boolean AND o.state = 'active' AND (m.expires_at IS NULL OR m.expires_at > now())
                    AND (m.project_id = $1
                         OR m.group_id = ANY ((SELECT d.ancestor_ids FROM projects b JOIN groups d ON d.id = b.group_id
                                                WHERE b.id = $1)::bigint[]))
                  GROUP BY o.id) m
          ORDER BY m.level DESC, lower(m.username) LIMIT 100)) f
 ORDER BY f.part, f.place;

-- name: page_crate
-- $1 user or null, $2 project, $3 normalized name, $4 version without build metadata, or null for the
-- version that is shown, $5 how many versions, $6 how many to skip, $7 whether to tell who published, $8
-- the index of the project as dependencies of other projects name it.  The crate by the unique index
-- (project_id, normalized_name), the version by (crate_id, version_base): crate_search has the version
-- that is shown, unless the crate is due; then crate_shown() sorts all versions.  Token and user by
-- primary keys.  Without $4: `versions`, by (crate_id, version_base), sorted.  With $4: `has_before`,
-- whether a lower version is listed, by (crate_id, version_base) up to the first one.  `dependents`: among
-- the first 10000 dependencies by dependencies_reverse, the newest version of each crate of this project,
-- and then of readable crates of other projects, 100 at most.  Whether they are readable is asked only if
-- another project depends on the crate.  `days` and `by_version`: the downloads of the last 90 days of the
-- crate, by the primary key of download_days.  No row if the crate or the version does not exist or is not
-- listed.
WITH @viewer_memberships, @readable_projects,
target AS (
    SELECT c.id, c.name,
           CASE WHEN $4::text IS NOT NULL
                THEN (SELECT v.id FROM versions v WHERE v.crate_id = c.id AND v.version_base = $4
                         AND v.status IN ('default', 'deprecated'))
                ELSE coalesce((SELECT v.id FROM crate_search s
                                 JOIN versions v ON v.crate_id = s.crate_id
                                      AND v.version_base = split_part(s.max_version, '+', 1)
                                WHERE s.crate_id = c.id AND v.status IN ('default', 'deprecated')
                                  AND NOT EXISTS (SELECT FROM crates_due d WHERE d.crate_id = c.id)),
                              crate_shown(c.id)) END AS version_id
      FROM crates c WHERE c.project_id = $2::bigint AND c.normalized_name = $3::text),
listed AS (
    SELECT v.id, v.version, v.published_at, v.size, v.yanked, v.yank_message, v.license, v.rust_version, v.edition
      FROM target t JOIN versions v ON v.crate_id = t.id AND v.status IN ('default', 'deprecated')
     WHERE $4 IS NULL),
loaded AS (
    SELECT d.day, d.version_id, sum(d.downloads)::bigint AS downloads
      FROM target t JOIN download_days d ON d.crate_id = t.id
     WHERE $4 IS NULL AND d.day > current_date - 90
     GROUP BY GROUPING SETS ((d.day), (d.version_id)))
SELECT t.name, v.version, v.yanked, v.yank_message, v.status, v.description, v.homepage, v.documentation,
       v.repository, v.license, v.license_file, v.links, v.rust_version, v.edition, v.size, v.cksum,
       extract(epoch FROM v.published_at)::bigint AS published_at, v.has_lib,
       array_to_json(v.bins)::text AS bins, array_to_json(v.keywords)::text AS keywords,
       array_to_json(v.categories)::text AS categories, left(v.readme, 65537) AS readme, v.readme_file, v.index_line,
       (SELECT count(*) FROM listed) AS total,
       EXISTS (SELECT FROM versions o
                WHERE $4 IS NOT NULL AND o.crate_id = t.id AND o.status IN ('default', 'deprecated')
                  AND version_order(o.version_base) COLLATE "C" < version_order(v.version_base) COLLATE "C")
           AS has_before,
       (SELECT json_agg(json_build_array(o.version, extract(epoch FROM o.published_at)::bigint, o.size, o.yanked,
                   o.yank_message, o.license, o.rust_version, o.edition) ORDER BY o.id DESC)
          FROM (SELECT * FROM listed ORDER BY id DESC LIMIT $5::bigint OFFSET $6::bigint) o)::text AS versions,
       (SELECT json_agg(json_build_array(o.name, o.version, o.req, o.kind, o.project_id)
                        ORDER BY o.project_id <> $2, o.normalized_name, o.id)
          FROM (SELECT DISTINCT ON (1, 2, 3) u.project_id <> $2, b.normalized_name, b.id, b.name,
                       u.version, d.req, d.kind, u.project_id
                  FROM (SELECT * FROM dependencies d
                         WHERE $4 IS NULL AND d.normalized_name = $3 AND (d.registry IS NULL OR d.registry = $8::text)
                         LIMIT 10000) d
                  JOIN versions u ON u.id = d.version_id
                  JOIN crates b ON b.id = u.crate_id
                 WHERE (d.registry IS NULL) = (u.project_id = $2)
                   AND (u.project_id = $2 OR u.project_id IN (SELECT id FROM readable))
                   AND b.id <> t.id AND u.status IN ('default', 'deprecated')
                 ORDER BY 1, 2, 3, u.id DESC, d.kind = 'normal' DESC
                 LIMIT 100) o)::text AS dependents,
       (SELECT json_agg(json_build_array(current_date - l.day, l.downloads))
          FROM loaded l WHERE l.day IS NOT NULL)::text AS days,
       (SELECT json_agg(json_build_array(o.version, l.downloads) ORDER BY l.downloads DESC, o.id DESC)
          FROM (SELECT * FROM loaded WHERE version_id IS NOT NULL ORDER BY downloads DESC LIMIT 10) l
          JOIN listed o ON o.id = l.version_id)::text AS by_version,
       w.kind AS token_kind, w.name AS token_name, w.issuer, w.pipeline, w.job, w.job_url, w.ref, w.commit,
       u.username AS publisher
  FROM target t
  JOIN versions v ON v.id = t.version_id
  LEFT JOIN tokens w ON w.id = v.token_id AND $7::boolean
  LEFT JOIN users u ON u.id = v.user_id AND $7;

-- name: page_crate_events
-- $1 project, $2 normalized name, $3 version without build metadata.  The events of the version, 100 rows
-- at most, by audit_events_crate, newest first; users by primary key.
SELECT e.action, extract(epoch FROM e.at)::bigint AS at, u.username, e.request_id, e.detail ->> 'message' AS message
  FROM (SELECT * FROM audit_events e
         WHERE replace(lower(e.crate), '_', '-') = $2::text AND e.project_id = $1::bigint
           AND split_part(e.version, '+', 1) = $3::text
         ORDER BY e.at DESC, e.id DESC LIMIT 100) e
  LEFT JOIN users u ON u.id = e.user_id
 ORDER BY e.at DESC, e.id DESC;

-- name: page_feed
-- $1 project, $2 normalized name of a crate or null for all, $3 how many.  The caller has already decided
-- who may see them.  `entry`: the last versions that were published, by versions_listed_time or among all
-- versions of the crate, and the last ones that were yanked or whose yank was undone, among the last 1000
-- events of the project by audit_events_project, or of the crate's name by audit_events_crate; versions by
-- (crate_id, version_base).  `number`: 0 for a publish, the event for a yank, and minus the event for an
-- undone yank.  `since`: when the project was created.
WITH published AS (
    (SELECT v.id, v.crate_id, v.published_at FROM versions v
      WHERE $2::text IS NULL AND v.project_id = $1::bigint
        AND v.status IN ('default', 'deprecated', 'error') AND v.status <> 'error'
      ORDER BY v.published_at DESC, v.id DESC LIMIT $3::bigint)
    UNION ALL
    (SELECT v.id, v.crate_id, v.published_at
       FROM crates c JOIN versions v ON v.crate_id = c.id AND v.status IN ('default', 'deprecated')
      WHERE $2 IS NOT NULL AND c.project_id = $1 AND c.normalized_name = $2
      ORDER BY v.published_at DESC, v.id DESC LIMIT $3)),
events AS (
    SELECT e.* FROM (
        (SELECT * FROM audit_events o WHERE $2 IS NULL AND o.project_id = $1 ORDER BY o.at DESC, o.id DESC LIMIT 1000)
        UNION ALL
        (SELECT * FROM audit_events o
          WHERE $2 IS NOT NULL AND replace(lower(o.crate), '_', '-') = $2 AND o.project_id = $1
          ORDER BY o.at DESC, o.id DESC LIMIT 1000)) e
     WHERE e.action IN ('crate.yank', 'crate.unyank')
     ORDER BY e.at DESC, e.id DESC LIMIT $3),
entries AS (
    SELECT c.name, v.version, v.description AS about, p.published_at AS at, 0::bigint AS number, p.id
      FROM published p JOIN versions v ON v.id = p.id JOIN crates c ON c.id = p.crate_id
    UNION ALL
    SELECT c.name, v.version, e.detail ->> 'message', e.at, CASE e.action WHEN 'crate.yank' THEN e.id ELSE -e.id END,
           v.id
      FROM events e
      JOIN crates c ON c.project_id = $1 AND c.normalized_name = replace(lower(e.crate), '_', '-')
      JOIN versions v ON v.crate_id = c.id AND v.version_base = split_part(e.version, '+', 1)
           AND v.status IN ('default', 'deprecated'))
SELECT @page_row
  FROM ((SELECT 'entry' AS part, NULL::bigint AS project_id, o.name, o.version, o.about,
                extract(epoch FROM o.at)::bigint AS at, o.number,
                row_number() OVER (ORDER BY o.at DESC, abs(o.number) DESC, o.id DESC) AS place
           FROM entries o ORDER BY place LIMIT $3)
         UNION ALL
        SELECT 'since', NULL, NULL, NULL, NULL, extract(epoch FROM p.created_at)::bigint, 0, 1
          FROM projects p WHERE p.id = $1) f
 ORDER BY f.part, f.place;
