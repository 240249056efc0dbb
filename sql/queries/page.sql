-- part: viewer_memberships
-- User $1, who may be null, and the places where the user is a member, as caller_memberships of
-- access.sql.  OFFSET 0 hides the value from the planner, so that one plan serves users and anonymous
-- viewers.
caller AS MATERIALIZED (
	SELECT u.id, u.is_admin FROM (SELECT $1::bigint AS id OFFSET 0) q JOIN users u ON u.id = q.id
	 WHERE u.state = 'active'
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
-- read its packages.  The registry of the project must be switched on, by the same rule as flag_is_on() for
-- FLAG_CARGO: if a flag is on for a share of all projects, a digest decides.
switched AS MATERIALIZED (
	SELECT project_id, percentage FROM feature_flags WHERE name = 'package_registry_cargo_support'
), readable AS MATERIALIZED (
	SELECT p.id FROM projects p JOIN groups g ON g.id = p.group_id
	  LEFT JOIN switched s ON s.project_id = p.id
	 WHERE p.packages_enabled
	   AND (p.visibility = 'public' OR p.public_packages
	        OR (p.visibility = 'internal' AND EXISTS (SELECT FROM caller))
	        OR EXISTS (SELECT FROM caller WHERE is_admin)
	        OR p.id IN (SELECT project_id FROM mine WHERE project_id IS NOT NULL AND access_level >= 20)
	        OR g.ancestor_ids && ARRAY(SELECT group_id FROM mine WHERE group_id IS NOT NULL
	                                   AND access_level >= 20)
	        OR p.id IN (SELECT k.project_id FROM caller c JOIN crate_owners k ON k.user_id = c.id))
	   AND (NOT EXISTS (SELECT FROM switched)
	        OR ('x' || left(encode(sha256(convert_to('package_registry_cargo_support:'
	                                                 || p.id, 'UTF8')), 'hex'), 8)
	           )::bit(32)::bigint % 100
	           < coalesce(s.percentage, (SELECT o.percentage FROM switched o WHERE o.project_id IS NULL), 100))
)

-- part: page_row
-- A row of a page: its part, its project, and columns whose meaning depends on the statement and the part.
f.part, f.project_id, f.name, f.version, f.about, f.at, f.number

-- part: shown_marks
-- The marks of the version that crate_search shows for a crate: 1 it is yanked, since all are; 2 it is
-- deprecated, by the unique index (crate_id, version_base); OFFSET 0 keeps the planner from one of listed
-- versions.
(coalesce(s.yanked = 2, false)::integer
 + 2 * coalesce((SELECT m.status = 'deprecated'
                   FROM (SELECT v.status FROM versions v
                          WHERE v.crate_id = s.crate_id AND v.version_base = split_part(s.max_version, '+', 1)
                         OFFSET 0) m), false)::integer)::bigint

-- part: shown_new
-- Version v is listed, and nobody has found an error in it; a part of versions_listed_time.
v.status IN ('default', 'deprecated', 'error') AND v.status <> 'error'

-- name: page_front
-- $1 user or null, $2 mirror_url of the configuration.  At most 12 rows of each part; one plan for all
-- callers may rely on that number.
-- `project`: known projects, the user's own first, others by path; sorted.  `new`: the newest versions of
-- all readable projects except mirrors (the value of a project can have quotes, as in berth.conf), by
-- versions_listed_time: a mirror's versions come from another registry; `number`: 1 yanked, 2 deprecated, 3
-- both.  `used`: the crates with the most weight in all readable projects, by crate_search_weight.
WITH @viewer_memberships, @readable_projects,
places AS (
    SELECT p.id, p.full_path,
           p.id IN (SELECT project_id FROM mine WHERE project_id IS NOT NULL)
           OR g.ancestor_ids && ARRAY(SELECT group_id FROM mine WHERE group_id IS NOT NULL) AS is_mine
      FROM @known_projects
     ORDER BY is_mine DESC, lower(p.full_path) LIMIT 12),
newest AS (
    SELECT v.* FROM (
           SELECT r.id FROM readable r
             JOIN projects p ON p.id = r.id AND coalesce(p.policy ->> 'mirror_url', $2::text) !~ '[^\s"]'
            CROSS JOIN LATERAL (
                  SELECT v.published_at, v.id FROM versions v
                   WHERE v.project_id = r.id AND @shown_new
                   ORDER BY v.published_at DESC, v.id DESC LIMIT 1) h
            ORDER BY h.published_at DESC, h.id DESC LIMIT 12) r
     CROSS JOIN LATERAL (
           SELECT v.id, v.project_id, v.crate_id, v.published_at FROM versions v
            WHERE v.project_id = r.id AND @shown_new
            ORDER BY v.published_at DESC, v.id DESC LIMIT 12) v
     ORDER BY v.published_at DESC, v.id DESC LIMIT 12),
used AS (
    SELECT s.* FROM (
           SELECT r.id FROM readable r CROSS JOIN LATERAL (
                  SELECT s.weight FROM crate_search s WHERE s.project_id = r.id AND s.weight > 0
                   ORDER BY s.weight DESC LIMIT 1) h
            ORDER BY h.weight DESC FETCH FIRST 12 ROWS WITH TIES) r
     CROSS JOIN LATERAL (
           SELECT s.crate_id, s.project_id, s.weight, s.normalized_name FROM crate_search s
            WHERE s.project_id = r.id AND s.weight > 0
            ORDER BY s.weight DESC LIMIT 12) s
     ORDER BY s.weight DESC, s.normalized_name LIMIT 12)
SELECT @page_row
  FROM (SELECT 'project' AS part, o.id AS project_id, NULL AS name, NULL AS version, NULL AS about,
               NULL::bigint AS at, o.is_mine::integer::bigint AS number,
               row_number() OVER (ORDER BY o.is_mine DESC, lower(o.full_path)) AS place
          FROM places o
         UNION ALL
        SELECT 'new', n.project_id, c.name, v.version, v.description,
               extract(epoch FROM n.published_at)::bigint,
               v.yanked::integer + 2 * (v.status = 'deprecated')::integer,
               row_number() OVER (ORDER BY n.published_at DESC, n.id DESC)
          FROM newest n JOIN versions v ON v.id = n.id JOIN crates c ON c.id = n.crate_id
         UNION ALL
        SELECT 'used', s.project_id, s.name, s.max_version, s.description, NULL, @shown_marks,
               row_number() OVER (ORDER BY o.weight DESC, o.normalized_name)
          FROM used o JOIN crate_search s ON s.crate_id = o.crate_id) f
 ORDER BY f.part, f.place;

-- part: narrow_compared
-- Columns of crate s that a search compares, read once.
s.crate_id, s.project_id, s.normalized_name, s.weight, s.document, s.keywords, s.license, s.rust, s.yanked

-- part: narrow_asked
-- What the caller asks for: the rows of the page, and the filters, which may be null.  These columns hide the
-- values from the planner, so that the first plan serves all searches; planning would take a third of the
-- time of such a page.
$3::bigint AS size, $4::bigint AS skip, lower($5::text) AS keyword, lower($6::text) AS license,
lower(' ' || translate($6, '()/', '   ') || ' ') AS license_words, $7::bigint AS rust, $8::bigint AS yanked

-- part: narrow_meant
-- The readable projects, or, if $2 is not null, the one with this path.
meant AS MATERIALIZED (
    SELECT p.id FROM readable r JOIN projects p ON p.id = r.id
     WHERE $2::text IS NULL OR lower(p.full_path) = lower($2))

-- part: narrow_words
-- The words of f.license, an expression of licences or any other text, in small letters, with a blank at
-- each end.
lower(' ' || translate(f.license, '()/', '   ') || ' ')

-- part: narrow_names
-- The licence of f is that of `asked` a, or names it: `MIT OR Apache-2.0`, `MIT/Apache-2.0` and `(MIT)` name
-- `MIT`, in any case of letters.
(lower(f.license) = a.license OR strpos(@narrow_words, a.license_words) > 0)

-- part: narrow_fits
-- Crate f passes the filters of `asked` a.
(a.keyword IS NULL OR a.keyword = ANY (f.keywords)) AND (a.license IS NULL OR @narrow_names)
AND (a.rust IS NULL OR f.rust <= a.rust) AND (a.yanked IS NULL OR f.yanked >= a.yanked)

-- part: narrow_rows
-- The rows of a search or list.  `found` has the crates that it has read, at most `most` of each kind, and
-- `ranked` those of them that pass the filters.  `crate`: the rows of the page.  `total`: how many pass; `at`
-- is 1 if the search has not read all crates.  `project`, `keyword`, `license`, `rust` (this version or an
-- earlier one) and `yanked`: filters that the viewer can add, at most 10 of each, with the number of crates
-- that then pass.  A licence is one that the expressions name, or a whole text that is no expression.
page AS MATERIALIZED (
    SELECT r.crate_id, r.score, r.normalized_name FROM ranked r
     ORDER BY r.score DESC, r.normalized_name, r.crate_id
     LIMIT (SELECT size FROM asked) OFFSET (SELECT skip FROM asked)),
counts AS MATERIALIZED (
    SELECT r.project_id, r.license, r.rust, r.yanked,
           grouping(r.project_id, r.license, r.rust, r.yanked) AS others,
           count(*) AS number
      FROM ranked r
     GROUP BY GROUPING SETS ((r.project_id), (r.license), (r.rust), (r.yanked), ())),
texts AS MATERIALIZED (
    SELECT f.license, f.number, @narrow_words AS words,
           f.license ~ '^\(*[^ ()/]+\)*(( */ *| +(OR|AND|WITH) +)\(*[^ ()/]+\)*)*$' AS is_expression
      FROM counts f WHERE f.others = 11 AND f.license IS NOT NULL),
named AS MATERIALIZED (
    SELECT f.license, @narrow_words AS words FROM (
           SELECT min(o.license COLLATE "C") AS license FROM (
                  SELECT t.license, t.number FROM texts t WHERE NOT t.is_expression
                   UNION ALL
                  SELECT trim(w.word), t.number FROM texts t CROSS JOIN LATERAL
                         regexp_split_to_table(
                             regexp_replace(translate(t.license, '()', '  '), ' +WITH +[^ /]+', '', 'g'),
                             ' */ *| +(OR|AND) +') AS w (word)
                   WHERE t.is_expression) o (license, number)
            GROUP BY lower(o.license) ORDER BY sum(o.number) DESC, 1 LIMIT 10) f),
facets AS (
    (SELECT 'project' AS part, c.project_id, NULL AS name, c.number,
            row_number() OVER (ORDER BY c.number DESC, c.project_id) AS place
       FROM counts c WHERE c.others = 7 ORDER BY place LIMIT 10)
    UNION ALL
    SELECT 'keyword', NULL, k.word, k.number, row_number() OVER (ORDER BY k.number DESC, k.word)
      FROM (SELECT w.word, count(*) AS number FROM (SELECT unnest(r.keywords) AS word FROM ranked r) w
             GROUP BY w.word ORDER BY number DESC, w.word LIMIT 10) k
    UNION ALL
    SELECT 'license', NULL, a.license, sum(f.number)::bigint,
           row_number() OVER (ORDER BY sum(f.number) DESC, a.license)
      FROM named a JOIN texts f ON strpos(f.words, a.words) > 0 GROUP BY a.license
    UNION ALL
    (SELECT 'rust', NULL, concat_ws('.', c.rust / 1000000, c.rust / 1000 % 1000, nullif(c.rust % 1000, 0)),
            (sum(c.number) OVER (ORDER BY c.rust))::bigint, row_number() OVER (ORDER BY c.rust DESC)
       FROM counts c WHERE c.others = 13 AND c.rust IS NOT NULL ORDER BY 5 LIMIT 10)
    UNION ALL
    SELECT 'yanked', NULL, y.word, sum(c.number)::bigint, y.least
      FROM counts c JOIN (VALUES (1, 'some'), (2, 'all')) y (least, word) ON c.yanked >= y.least
     WHERE c.others = 14 GROUP BY y.word, y.least)
SELECT @page_row
  FROM (SELECT 'crate' AS part, s.project_id, s.name, s.max_version AS version, s.description AS about,
               NULL::bigint AS at, @shown_marks AS number,
               row_number() OVER (ORDER BY o.score DESC, o.normalized_name, o.crate_id) AS place
          FROM page o JOIN crate_search s ON s.crate_id = o.crate_id
         UNION ALL
        SELECT o.part, o.project_id, o.name, NULL, NULL, NULL, o.number, o.place FROM facets o
         UNION ALL
        SELECT 'total', NULL, NULL, NULL, NULL,
               (SELECT count(*) >= (SELECT most FROM asked) FROM found)::integer::bigint, c.number, 1
          FROM counts c WHERE c.others = 15) f
 ORDER BY f.part, f.place

-- name: page_search
-- $1 user or null, $2 full path of a project or null for all, $3 how many, $4 after how many.  Filters, or
-- null: $5 a keyword, $6 a licence, $7 the newest Rust that a crate may need, $8 yanked versions: 1 some, 2
-- all.  The words: $9 as a name in normal form, $10 as a pattern of LIKE or null, $11 for to_tsquery, $12 as
-- text.  The statement reads crates of readable projects, each once: the first 100 whose names begin with the
-- name, by crate_search_first; the first 400 whose names contain it, by crate_search_trigrams; and the first
-- 400 that have the words, by crate_search_words.  With a filter it reads 800 instead of 400.  It ranks them
-- as the search of one project does.
WITH @viewer_memberships, @readable_projects, @narrow_meant,
asked AS MATERIALIZED (
    SELECT @narrow_asked, $9::text AS name, $9 || '{' AS upto, $10::text AS infix,
           to_tsquery('simple', $11::text) || plainto_tsquery('english', $12::text) AS words,
           CASE num_nulls($5, $6, $7, $8) WHEN 4 THEN 400 ELSE 800 END AS most),
begun AS MATERIALIZED (
    SELECT @narrow_compared FROM crate_search s
     WHERE s.normalized_name >= (SELECT name FROM asked) AND s.normalized_name < (SELECT upto FROM asked)
       AND (s.project_id IN (SELECT id FROM meant)) IS TRUE
     ORDER BY s.normalized_name LIMIT 100),
found AS MATERIALIZED (
    SELECT * FROM begun
     UNION ALL
    SELECT s.* FROM (
           SELECT @narrow_compared FROM crate_search s
            WHERE s.normalized_name LIKE (SELECT infix FROM asked)
              AND (s.project_id IN (SELECT id FROM meant)) IS TRUE
            LIMIT (SELECT most FROM asked)) s
     WHERE s.crate_id NOT IN (SELECT crate_id FROM begun)
     UNION ALL
    SELECT s.* FROM (
           SELECT @narrow_compared FROM crate_search s
            WHERE s.document @@ (SELECT words FROM asked) AND (s.project_id IN (SELECT id FROM meant)) IS TRUE
            LIMIT (SELECT most FROM asked)) s
     WHERE s.normalized_name NOT LIKE (SELECT coalesce(infix, '') FROM asked)
       AND s.crate_id NOT IN (SELECT crate_id FROM begun)),
ranked AS MATERIALIZED (
    SELECT f.crate_id, f.project_id, f.normalized_name, f.keywords, f.license, f.rust, f.yanked,
           greatest(search_name_rank(f.normalized_name, a.name),
                    ts_rank('{0,0.4,0.5,0.6}', f.document, a.words)) * (1 + f.weight) AS score
      FROM asked a CROSS JOIN found f
     WHERE @narrow_fits),
@narrow_rows;

-- name: page_list
-- $1 to $8 as in page_search; at least one of $2 and $5 to $8 is not null.  The crates of readable projects
-- that pass the filters, those with the most weight first.  The statement reads at most 800 crates, by the
-- index of the first filter that is given: of the keyword, by crate_search_words; in each project of the
-- licence, by crate_search_license, of the yanked versions, by crate_search_yanked, or of the Rust, by
-- crate_search_rust; or, with a project only, by crate_search_name.  It reads in the order of that index, and
-- never all rows.  Of the licence it first reads the texts in the project, up to 1000, each by one look-up;
-- crates with exactly the text come first.
WITH @viewer_memberships, @readable_projects, @narrow_meant,
asked AS MATERIALIZED (
    SELECT @narrow_asked, plainto_tsquery('simple', $5) AS word, 800 AS most,
           CASE WHEN $5 IS NOT NULL THEN 1 WHEN $6 IS NOT NULL THEN 2 WHEN $8 IS NOT NULL THEN 3
                WHEN $7 IS NOT NULL THEN 4 ELSE 5 END AS way),
found AS MATERIALIZED (
    (SELECT @narrow_compared FROM crate_search s
      WHERE (SELECT way FROM asked) = 1 AND s.document @@ (SELECT word FROM asked)
        AND (SELECT keyword FROM asked) = ANY (s.keywords)
        AND (s.project_id IN (SELECT id FROM meant)) IS TRUE
      LIMIT 800)
    UNION ALL
    (SELECT o.* FROM meant m CROSS JOIN LATERAL (
            WITH RECURSIVE spelled (license) AS (
                (SELECT s.license FROM crate_search s
                  WHERE s.project_id = m.id AND s.license IS NOT NULL ORDER BY s.license LIMIT 1)
                 UNION ALL
                SELECT (SELECT s.license FROM crate_search s
                         WHERE s.project_id = m.id AND s.license > p.license ORDER BY s.license LIMIT 1)
                  FROM spelled p WHERE p.license IS NOT NULL),
            texts AS (
                SELECT f.license FROM asked a CROSS JOIN (SELECT license FROM spelled LIMIT 1000) f
                 WHERE @narrow_names ORDER BY lower(f.license) <> a.license, f.license)
            SELECT c.* FROM texts x CROSS JOIN LATERAL (
                   SELECT @narrow_compared FROM crate_search s
                    WHERE s.project_id = m.id AND s.license = x.license
                    ORDER BY s.weight DESC LIMIT 800) c
             LIMIT 1000) o
      WHERE (SELECT way FROM asked) = 2 LIMIT 800)
    UNION ALL
    (SELECT o.* FROM meant m CROSS JOIN LATERAL (
            SELECT @narrow_compared FROM crate_search s
             WHERE s.project_id = m.id AND s.yanked > 0 AND s.yanked >= (SELECT yanked FROM asked)
             ORDER BY s.weight DESC LIMIT 800) o
      WHERE (SELECT way FROM asked) = 3 LIMIT 800)
    UNION ALL
    (SELECT o.* FROM meant m CROSS JOIN LATERAL (
            SELECT @narrow_compared FROM crate_search s
             WHERE s.project_id = m.id AND s.rust <= (SELECT rust FROM asked)
             ORDER BY s.rust DESC LIMIT 800) o
      WHERE (SELECT way FROM asked) = 4 LIMIT 800)
    UNION ALL
    (SELECT o.* FROM meant m CROSS JOIN LATERAL (
            SELECT @narrow_compared FROM crate_search s
             WHERE s.project_id = m.id ORDER BY s.normalized_name LIMIT 800) o
      WHERE (SELECT way FROM asked) = 5 LIMIT 800)),
ranked AS MATERIALIZED (
    SELECT f.crate_id, f.project_id, f.normalized_name, f.keywords, f.license, f.rust, f.yanked,
           f.weight AS score
      FROM asked a CROSS JOIN found f
     WHERE @narrow_fits),
@narrow_rows;

-- name: page_alike
-- $1 user or null, $2 a name in normal form that a search has not found.  `crate`: crates of readable
-- projects whose names are one slip away from $2, by crate_search_slips: the 20 most similar of the first
-- 100.  The plan does not depend on the name.
WITH @viewer_memberships, @readable_projects,
asked AS MATERIALIZED (SELECT $2::text AS name, search_slips($2) AS slips),
alike AS MATERIALIZED (
    SELECT s.crate_id, s.normalized_name,
           similarity(s.normalized_name, (SELECT name FROM asked))::float8 * (1 + s.weight / 4.0) AS score
      FROM crate_search s
     WHERE search_slips(s.normalized_name) && (SELECT slips FROM asked)
       AND (s.project_id IN (SELECT id FROM readable)) IS TRUE
     LIMIT 100)
SELECT @page_row
  FROM (SELECT 'crate' AS part, s.project_id, s.name, s.max_version AS version, s.description AS about,
               NULL::bigint AS at, @shown_marks AS number,
               row_number() OVER (ORDER BY o.score DESC, o.normalized_name, o.crate_id) AS place
          FROM alike o JOIN crate_search s ON s.crate_id = o.crate_id
         ORDER BY place LIMIT 20) f
 ORDER BY f.part, f.place;

-- part: place_rows
-- `project`: a page of `places`, by path; `number`: the crates.  `total`: how many places there are.
SELECT * FROM (
    SELECT 'project' AS part, o.id AS project_id, NULL AS name, NULL AS version, NULL AS about,
           NULL::bigint AS at, coalesce((SELECT sum(n.crates) FROM search_counts n
                                         WHERE n.project_id = o.id), 0)::bigint
           AS number,
           row_number() OVER (ORDER BY lower(o.full_path)) AS place
      FROM places o ORDER BY place LIMIT $2::bigint OFFSET $3::bigint) o
 UNION ALL
SELECT 'total', NULL, NULL, NULL, NULL, NULL, count(*), 1 FROM places o

-- name: page_projects
-- $1 user or null, $2 how many, $3 how many to skip.  place_rows of all known projects.
WITH @viewer_memberships,
places AS MATERIALIZED (SELECT p.id, p.full_path FROM @known_projects)
SELECT @page_row FROM (@place_rows) f ORDER BY f.part, f.place;

-- name: page_group
-- $1 user or null, $2 how many projects, $3 how many to skip, $4 group, $5 whether to list members.
-- place_rows of the known projects below the group: the groups by groups_ancestor_ids, their projects by
-- projects_group.  `default`: the project for new crates.  `member`: the first 100 members of the group and
-- of the groups above it, by members_of_group; `number` is the highest level.
WITH @viewer_memberships,
places AS MATERIALIZED (
    SELECT p.id, p.full_path
      FROM @known_projects AND g.ancestor_ids @> ARRAY[$4::bigint])
SELECT @page_row
  FROM (@place_rows
         UNION ALL
        SELECT 'default', o.id, NULL, NULL, NULL, NULL, 0, 1
          FROM groups v JOIN projects o ON o.id = v.default_project_id JOIN groups d ON d.id = o.group_id
         WHERE v.id = $4 AND d.ancestor_ids @> ARRAY[v.id]
         UNION ALL
        (SELECT 'member', NULL, m.username, NULL, m.name, NULL, m.level,
                row_number() OVER (ORDER BY m.level DESC, lower(m.username))
           FROM (SELECT o.username, o.name, max(m.access_level)::bigint AS level
                   FROM members m JOIN users o ON o.id = m.user_id
                  WHERE $5::boolean AND o.state = 'active' AND (m.expires_at IS NULL OR m.expires_at > now())
                    AND m.group_id = ANY ((SELECT d.ancestor_ids FROM groups d WHERE d.id = $4)::bigint[])
                  GROUP BY o.id) m
          ORDER BY m.level DESC, lower(m.username) LIMIT 100)) f
 ORDER BY f.part, f.place;

-- part: registry_groups
-- The groups above project p that are set up as registries, by primary keys.  People use the highest of them.
projects p JOIN groups g ON g.id = p.group_id
  JOIN groups o ON o.id = ANY (g.ancestor_ids)
       AND (o.default_project_id IS NOT NULL OR o.registry_projects <> '{}')

-- name: page_project
-- $1 project, $2 whether to list crates, $3 whether to list members, $4 how many crates, $5 how many to
-- skip.  The caller has already decided who may see them.  `crate`: crates as search_all lists them, with
-- the time of the last change, by primary key.  `total`: how many.  `member`: the first 100 members of the
-- project and of the groups above it, by members_of_project and members_of_group.  `group`: the highest group
-- that is set up as a registry; `number` is its id, and its project the one that new crates go to.
-- `mirror`: the project's own mirror_url, if it has one, even an empty one.
WITH parts AS MATERIALIZED (
    SELECT part, sum(crates) OVER (ORDER BY part)::bigint AS upto, crates FROM search_counts
     WHERE project_id = $1::bigint AND $2::boolean),
first AS MATERIALIZED (
    SELECT chr(part / 256) || coalesce(chr(nullif(part % 256, 0)), '') AS name,
           $5::bigint - (upto - crates) AS skip
      FROM parts WHERE upto > $5::bigint ORDER BY part LIMIT 1),
page AS (
    SELECT s.crate_id, row_number() OVER (ORDER BY s.normalized_name) AS place
      FROM (SELECT s.crate_id, s.normalized_name FROM crate_search s
             WHERE s.project_id = $1 AND s.normalized_name >= (SELECT name FROM first)
             ORDER BY s.normalized_name LIMIT $4::bigint OFFSET (SELECT skip FROM first)) s)
SELECT @page_row
  FROM (SELECT 'crate' AS part, NULL::bigint AS project_id, s.name, s.max_version AS version,
               s.description AS about, extract(epoch FROM c.updated_at)::bigint AS at,
               @shown_marks AS number, o.place
          FROM page o JOIN crate_search s ON s.crate_id = o.crate_id JOIN crates c ON c.id = o.crate_id
         UNION ALL
        SELECT 'total', NULL, NULL, NULL, NULL, NULL, coalesce(max(o.upto), 0), 1 FROM parts o
         UNION ALL
        (SELECT 'group', o.default_project_id, o.full_path, NULL, NULL, NULL, o.id, 1
           FROM @registry_groups
          WHERE p.id = $1
          ORDER BY cardinality(o.ancestor_ids) LIMIT 1)
         UNION ALL
        SELECT 'mirror', NULL, o.policy ->> 'mirror_url', NULL, NULL, NULL, 1, 1
          FROM projects o WHERE o.id = $1 AND o.policy ->> 'mirror_url' IS NOT NULL
         UNION ALL
        (SELECT 'member', NULL, m.username, NULL, m.name, NULL, m.level,
                row_number() OVER (ORDER BY m.level DESC, lower(m.username))
           FROM (SELECT o.username, o.name, max(m.access_level)::bigint AS level
                   FROM members m JOIN users o ON o.id = m.user_id
                  WHERE $3::boolean AND o.state = 'active' AND (m.expires_at IS NULL OR m.expires_at > now())
                    AND (m.project_id = $1
                         OR m.group_id = ANY ((SELECT d.ancestor_ids FROM projects b JOIN groups d
                                               ON d.id = b.group_id
                                                WHERE b.id = $1)::bigint[]))
                  GROUP BY o.id) m
          ORDER BY m.level DESC, lower(m.username) LIMIT 100)) f
 ORDER BY f.part, f.place;

-- part: inside_dependency
-- Dependency d is on crate $3 of project $2, in that project.
d.project_id = $2::bigint AND d.normalized_name = $3::text AND d.registry IS NULL

-- part: across_dependency
-- The same in another project, which names registry $8.  PostgreSQL can use the index only if the condition
-- says that this is not the public registry.
d.registry = $8::text AND d.registry <> 'https://github.com/rust-lang/crates.io-index'
    AND d.normalized_name = $3

-- part: page_dependents
-- The crates that depend on crate $3 of project $2, each by one step in dependencies_inside or
-- dependencies_across: the first 50 of the same project, and the readable ones among the first 1000 steps
-- through other projects.  A project that the viewer may not read takes one step.  The statement asks which
-- projects are readable only if another project depends on the crate.
inside (crate_id, step) AS (
    (SELECT d.crate_id, 1 FROM dependencies d WHERE $4::text IS NULL AND @inside_dependency
     ORDER BY d.crate_id LIMIT 1)
    UNION ALL
    SELECT n.crate_id, w.step + 1
      FROM inside w CROSS JOIN LATERAL (
           SELECT d.crate_id FROM dependencies d WHERE @inside_dependency AND d.crate_id > w.crate_id
            ORDER BY d.crate_id LIMIT 1) n
     WHERE w.step < 50),
across (project_id, crate_id, is_readable, step) AS (
    (SELECT d.project_id, d.crate_id, d.project_id IN (SELECT id FROM readable), 1 FROM dependencies d
      WHERE $4::text IS NULL AND @across_dependency ORDER BY d.project_id, d.crate_id LIMIT 1)
    UNION ALL
    SELECT n.project_id, n.crate_id, n.project_id IN (SELECT id FROM readable), w.step + 1
      FROM across w CROSS JOIN LATERAL (
           SELECT d.project_id, d.crate_id FROM dependencies d
            WHERE @across_dependency
              AND (d.project_id, d.crate_id)
                  > (w.project_id, CASE WHEN w.is_readable THEN w.crate_id ELSE 9223372036854775807 END)
            ORDER BY d.project_id, d.crate_id LIMIT 1) n
     WHERE w.step < 1000),
dependents AS (
    SELECT w.crate_id, $2 AS project_id, n.version, n.req, n.kind
      FROM inside w CROSS JOIN LATERAL (
           SELECT u.version, d.req, d.kind
             FROM dependencies d JOIN versions u ON u.id = d.version_id
                  AND u.status IN ('default', 'deprecated')
            WHERE @inside_dependency AND d.crate_id = w.crate_id
            ORDER BY d.version_id DESC, d.kind DESC LIMIT 1) n
    UNION ALL
    (SELECT w.crate_id, w.project_id, n.version, n.req, n.kind
       FROM across w CROSS JOIN LATERAL (
            SELECT u.version, d.req, d.kind
              FROM dependencies d JOIN versions u ON u.id = d.version_id
                   AND u.status IN ('default', 'deprecated')
             WHERE @across_dependency AND d.project_id = w.project_id AND d.crate_id = w.crate_id
             ORDER BY d.version_id DESC, d.kind DESC LIMIT 1) n
      WHERE w.is_readable LIMIT 50))

-- part: untimed
-- The time of version v is that of its import, since its source had none.  The host of the import may have
-- another clock.
coalesce(v.published_at > v.imported_at - interval '10 minutes', false)

-- part: version_numbers
-- The three numbers of v.version_base, in a form that sorts as they do, in a third of the time of
-- version_order().
(lpad(split_part(v.version_base, '.', 1), 20, '0') || lpad(split_part(v.version_base, '.', 2), 20, '0')
 || lpad(split_part(split_part(v.version_base, '-', 1), '.', 3), 20, '0')) COLLATE "C"

-- name: page_crate
-- $1 user or null, $2 project, $3 normalized name, $4 version without build metadata, or null for the
-- version that is shown, $5 how many versions, $6 how many to skip, $7 whether to tell who published, $8
-- the index of the project as dependencies of other projects name it, $9 whether to tell the owners, $10 how
-- many versions are at most sorted by SemVer: if there are more, the newest are first.  The
-- crate by the unique index (project_id, normalized_name), the version by (crate_id, version_base):
-- crate_search has the version that is shown, unless the crate is due; then crate_shown() sorts all
-- versions.  Token and user by primary keys.  Without $4: `versions`, by versions_listed_crate, sorted;
-- SemVer needs the row of each, which takes longer than all the rest if there are thousands.
-- With $4: `has_before`, whether a lower version is listed, by the same index up to the first one.
-- `dependents`: the newest version of each crate, 50 at most, crates of the same project first.  `days` and
-- `by_version`: the downloads of the last 90 days of the crate, by the primary key of download_days; `bands`:
-- those of each day for the 4 versions with the most of them, by the same key.
-- `events`, with $4 and $7: the newest 100 events of the version, by audit_events_crate; users by primary
-- key.  `group_id` and `group_path`, with $1: the highest group above the project that is set up as a
-- registry, if any, and `group_serves`, whether its registry has this crate: the few groups above by primary
-- keys, and view_project().  No row if the crate or the version does not exist or is not listed.
WITH RECURSIVE @viewer_memberships, @readable_projects, @page_dependents,
target AS (
    SELECT c.id, c.name,
           CASE WHEN $4::text IS NULL AND EXISTS (SELECT FROM crates_due d WHERE d.crate_id = c.id)
                THEN crate_shown(c.id)
                ELSE coalesce((SELECT o.id
                                 FROM (SELECT v.id, v.status FROM versions v
                                        WHERE v.crate_id = c.id
                                          AND v.version_base = coalesce($4,
                                              (SELECT split_part(s.max_version, '+', 1) FROM crate_search s
                                                WHERE s.crate_id = c.id))
                                       -- the index that has one row for it, not that of listed ones
                                       OFFSET 0) o
                                WHERE o.status IN ('default', 'deprecated')),
                              CASE WHEN $4 IS NULL THEN crate_shown(c.id) END) END AS version_id
      FROM crates c WHERE c.project_id = $2::bigint AND c.normalized_name = $3::text),
listed AS (
    SELECT v.id, v.published_at
      FROM target t JOIN versions v ON v.crate_id = t.id AND v.status IN ('default', 'deprecated')
     WHERE $4 IS NULL),
counted AS MATERIALIZED (SELECT count(*) AS total FROM listed),
placed AS (
    SELECT o.id, row_number() OVER () AS place FROM (
           SELECT v.id FROM target t JOIN versions v ON v.crate_id = t.id
                  AND v.status IN ('default', 'deprecated')
            WHERE $4 IS NULL AND (SELECT total FROM counted) <= $10::bigint
            ORDER BY @version_numbers DESC, v.version_base NOT LIKE '%-%' DESC,
                  CASE WHEN v.version_base LIKE '%-%' THEN version_order(v.version_base) COLLATE "C" END DESC
            LIMIT $5::bigint OFFSET $6::bigint) o
    UNION ALL
    SELECT o.id, row_number() OVER () FROM (
           SELECT id FROM listed WHERE (SELECT total FROM counted) > $10
            ORDER BY published_at DESC, id DESC LIMIT $5 OFFSET $6) o),
loaded AS (
    SELECT d.day, d.version_id, sum(d.downloads)::bigint AS downloads
      FROM target t JOIN download_days d ON d.crate_id = t.id
     WHERE $4 IS NULL AND d.day > current_date - 90
     GROUP BY GROUPING SETS ((d.day), (d.version_id))),
most AS (
    SELECT l.version_id, o.version, l.downloads,
           row_number() OVER (ORDER BY l.downloads DESC, l.version_id DESC) AS position
      FROM (SELECT * FROM loaded WHERE version_id IS NOT NULL ORDER BY downloads DESC LIMIT 10) l
      JOIN versions o ON o.id = l.version_id AND o.status IN ('default', 'deprecated'))
SELECT t.name, v.version, v.yanked, v.status = 'deprecated' AS deprecated, v.yank_message, v.status_message,
       v.description, v.homepage, v.documentation, v.repository, v.license, v.license_file, v.links,
       v.rust_version,
       v.edition, v.size, v.cksum,
       extract(epoch FROM v.published_at)::bigint AS published_at,
       @untimed AS is_untimed, v.has_lib,
       array_to_json(v.bins)::text AS bins, array_to_json(v.keywords)::text AS keywords,
       array_to_json(v.categories)::text AS categories, left(v.readme, 65537) AS readme, v.readme_file,
       v.index_line,
       (SELECT p.readme_images FROM projects p WHERE p.id = $2) AS readme_images,
       (SELECT p.policy ->> 'mirror_url' FROM projects p WHERE p.id = $2) AS mirror_url,
       (SELECT total FROM counted) AS total,
       EXISTS (SELECT FROM versions o
                WHERE $4 IS NOT NULL AND o.crate_id = t.id AND o.status IN ('default', 'deprecated')
                  AND version_order(o.version_base) COLLATE "C" < version_order(v.version_base) COLLATE "C")
           AS has_before,
       (SELECT json_agg(json_build_array(v.version, extract(epoch FROM v.published_at)::bigint, v.size,
                                         v.yanked,
                   v.status = 'deprecated', v.yank_message, v.license, v.license_file, v.rust_version,
                   v.edition,
                   v.status_message, @untimed)
                        ORDER BY l.place)
          FROM placed l JOIN versions v ON v.id = l.id)::text AS versions,
       (SELECT json_agg(json_build_array(b.name, d.version, d.req, d.kind, d.project_id)
                        ORDER BY d.project_id <> $2, b.normalized_name, b.id)
          FROM (SELECT * FROM dependents WHERE crate_id <> t.id LIMIT 50) d
          JOIN crates b ON b.id = d.crate_id)::text AS dependents,
       (SELECT json_agg(json_build_array(current_date - l.day, l.downloads))
          FROM loaded l WHERE l.day IS NOT NULL)::text AS days,
       (SELECT json_agg(json_build_array(m.version, m.downloads) ORDER BY m.position) FROM most m)::text
           AS by_version,
       (SELECT json_agg(json_build_array(m.position, current_date - d.day, d.downloads))
          FROM most m JOIN download_days d ON d.crate_id = t.id AND d.version_id = m.version_id
         WHERE m.position <= 4 AND d.day > current_date - 90)::text AS bands,
       (SELECT json_agg(json_build_array(o.username, o.name, o.level) ORDER BY o.level DESC,
                        lower(o.username))
          FROM crates c CROSS JOIN LATERAL (@crate_owners_of) o
         WHERE $9::boolean AND c.id = t.id)::text AS owners,
       (SELECT json_agg(json_build_array(e.action, extract(epoch FROM e.at)::bigint, o.username, e.request_id,
                   e.detail ->> 'message', e.detail ->> 'system_user') ORDER BY e.at DESC, e.id DESC)
          FROM (SELECT * FROM audit_events a
                 WHERE $7::boolean AND $4 IS NOT NULL AND replace(lower(a.crate), '_', '-') = $3
                   AND a.project_id = $2 AND split_part(a.version, '+', 1) = $4
                 ORDER BY a.at DESC, a.id DESC LIMIT 100) e
          LEFT JOIN users o ON o.id = e.user_id)::text AS events,
       w.kind AS token_kind, w.name AS token_name, w.issuer, w.pipeline, w.job, w.job_url, w.ref, w.commit,
       u.username AS publisher,
       a.id AS group_id, a.full_path AS group_path,
       coalesce((SELECT h.project_id = $2 FROM view_project(a.id, $3) h), false) AS group_serves
  FROM target t
  JOIN versions v ON v.id = t.version_id
  LEFT JOIN tokens w ON w.id = v.token_id AND $7::boolean
  LEFT JOIN users u ON u.id = v.user_id AND $7
  LEFT JOIN LATERAL
       (SELECT o.id, o.full_path
          FROM @registry_groups
         WHERE $1::bigint IS NOT NULL AND p.id = $2
         ORDER BY cardinality(o.ancestor_ids) LIMIT 1) a ON true;

-- name: page_crate_elsewhere
-- $1 project, $2 normalized name of a crate that it does not have.  Where people who use the address of the
-- group find that name: the project in the highest registry above, by the few groups above, their primary
-- keys, and view_project().  No row if no such project has a version of the crate.
SELECT h.project_id, c.name
  FROM @registry_groups
 CROSS JOIN LATERAL view_project(o.id, $2::text) h
  JOIN crates c ON c.project_id = h.project_id AND c.normalized_name = $2 AND c.index_body IS NOT NULL
 WHERE p.id = $1::bigint AND h.project_id <> p.id
 ORDER BY cardinality(o.ancestor_ids) LIMIT 1;

-- name: page_feed
-- $1 project, $2 normalized name of a crate or null for all, $3 how many.  The caller has already decided
-- who may see them.  `entry`: the last versions that were published, by versions_listed_time or among all
-- versions of the crate, and the last ones that were yanked or whose yank was undone, among the last 1000
-- events of the project by audit_events_project, or of the crate's name by audit_events_crate; versions by
-- (crate_id, version_base).  `number`: 0 for a publish, 1 for an import that has made up the time, and for
-- events 4 times their id, and 2 for a yank or 3 for an undone yank.  `since`: when the project was created.
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
        (SELECT * FROM audit_events o WHERE $2 IS NULL AND o.project_id = $1 ORDER BY o.at DESC, o.id DESC
         LIMIT 1000)
        UNION ALL
        (SELECT * FROM audit_events o
          WHERE $2 IS NOT NULL AND replace(lower(o.crate), '_', '-') = $2 AND o.project_id = $1
          ORDER BY o.at DESC, o.id DESC LIMIT 1000)) e
     WHERE e.action IN ('crate.yank', 'crate.unyank')
     ORDER BY e.at DESC, e.id DESC LIMIT $3),
entries AS (
    SELECT c.name, v.version, v.description AS about, p.published_at AS at,
           @untimed::integer::bigint AS number, p.id
      FROM published p JOIN versions v ON v.id = p.id JOIN crates c ON c.id = p.crate_id
    UNION ALL
    SELECT c.name, v.version, e.detail ->> 'message', e.at,
           4 * e.id + CASE e.action WHEN 'crate.yank' THEN 2 ELSE 3 END, v.id
      FROM events e
      JOIN crates c ON c.project_id = $1 AND c.normalized_name = replace(lower(e.crate), '_', '-')
      JOIN versions v ON v.crate_id = c.id AND v.version_base = split_part(e.version, '+', 1)
           AND v.status IN ('default', 'deprecated'))
SELECT @page_row
  FROM ((SELECT 'entry' AS part, NULL::bigint AS project_id, o.name, o.version, o.about,
                extract(epoch FROM o.at)::bigint AS at, o.number,
                row_number() OVER (ORDER BY o.at DESC, o.number DESC, o.id DESC) AS place
           FROM entries o ORDER BY place LIMIT $3)
         UNION ALL
        SELECT 'since', NULL, NULL, NULL, NULL, extract(epoch FROM p.created_at)::bigint, 0, 1
          FROM projects p WHERE p.id = $1) f
 ORDER BY f.part, f.place;
