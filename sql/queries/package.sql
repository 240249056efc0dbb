-- part: package
-- The columns of a package that clients see, from the view package_entries; package_entry.c reads it by
-- name.
e.id, e.project_id, e.project_path, e.name, e.version, e.status, e.status_message, e.yanked,
e.created_at, e.cksum, e.size, e.creator_id, e.pipeline, e.job_project_id, e.job_url, e.ref,
e.commit, e.job_created_at, e.user_id, e.username, e.user_name, e.user_state,
e.last_downloaded_at, e.yank_message

-- name: package_plan
-- The next statement of the same round trip is planned for its values: which filters it has, how much they
-- let through, and the order decide on the index; one plan for all values would sort a whole project for
-- each page.  No parallel workers: to start one takes longer than any of these statements may.  Reads no
-- table; ends with the transaction.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true),
       set_config('max_parallel_workers_per_gather', '0', true);

-- name: package_list
-- $1 project, $2 statuses, $3 a pattern of LIKE for the normal form of a name or null, $4 version or null,
-- $5 order by version or created_at and $6 whether it is descending, $7 how many, $8 how many to skip.
-- Ids of the page come first, so a skipped row costs a step in an index and no look-up: in the order of
-- versions_listed_time or versions_listed_version, which contains version_order() of a version.  If few
-- crates have the name, found by crate_names_trigrams, their versions are sorted.
SELECT @package
  FROM (SELECT page.id, row_number() OVER () AS place
          FROM (SELECT v.id
                  FROM versions v
                  LEFT JOIN crate_names c ON c.crate_id = v.crate_id AND c.project_id = v.project_id
                 WHERE v.project_id = $1 AND v.status = ANY ($2::text[])
                  AND ($3::text IS NULL OR c.normalized_name LIKE $3)
                  AND ($4::text IS NULL OR v.version = $4)
                 ORDER BY CASE WHEN $5::text = 'version' AND NOT $6::boolean
                               THEN version_order(v.version_base) COLLATE "C" END,
                          CASE WHEN $5 = 'version' AND $6
                               THEN version_order(v.version_base) COLLATE "C" END DESC,
                          CASE WHEN $5 = 'created_at' AND NOT $6 THEN v.published_at END,
                          CASE WHEN $5 = 'created_at' AND $6 THEN v.published_at END DESC,
                          CASE WHEN NOT $6 THEN v.id END,
                          CASE WHEN $6 THEN v.id END DESC
                 LIMIT $7::bigint OFFSET $8::bigint) page) page
  JOIN package_entries e USING (id)
 ORDER BY page.place;

-- name: package_list_by_name
-- As package_list, in the order of names, $5 whether it is descending, $6 how many, $7 how many to skip:
-- crates by the index of the unique constraint (project_id, normalized_name), and the versions of each; or
-- the crates that have the name, by crate_names_trigrams.
SELECT @package
  FROM (SELECT page.id, row_number() OVER () AS place
          FROM (SELECT v.id
                  FROM crates c JOIN versions v ON v.crate_id = c.id
                  LEFT JOIN crate_names n ON n.crate_id = c.id
                 WHERE c.project_id = $1 AND v.status = ANY ($2::text[])
                  AND ($3::text IS NULL OR c.normalized_name LIKE $3 AND n.normalized_name LIKE $3)
                  AND ($4::text IS NULL OR v.version = $4)
                 ORDER BY CASE WHEN NOT $5::boolean THEN c.normalized_name END,
                          CASE WHEN $5 THEN c.normalized_name END DESC,
                          CASE WHEN NOT $5 THEN v.id END,
                          CASE WHEN $5 THEN v.id END DESC
                 LIMIT $6::bigint OFFSET $7::bigint) page) page
  JOIN package_entries e USING (id)
 ORDER BY page.place;

-- name: package_list_named
-- $1 project, $2 a pattern of LIKE for some letters of the name, or null if these are too few for a
-- trigram index, $3 the part of the normal form to search for, $4 order by created_at, version or name, $5
-- whether it is descending, $6 how many, $7 how many to skip, $8 up to how many to count.  Only the
-- statuses that are listed by default.  Always at least one row; each has the number of matches, $8 + 1 at
-- most, and whether this is the page.  Whether there are more matches than are counted is mostly known
-- from the few crates with many versions, by crate_names_many, or, for one letter, from 5000 crates in any
-- order, by crate_names_project.  Otherwise crates are found once, by crate_names_trigrams, or in any order
-- if most have the name, and for few letters by crate_names_short_parts, or by crate_names_project where the
-- project has few crates; this stops when they list more than is counted.  Up to
-- that number, the page is sorted out of all their versions, ranges of versions_listed_crate.  If there
-- are more, matches are dense: then versions_listed_time, which has the names, is read in its order,
-- without the rows.  If this does not reach the end of the page in 20000 steps, or if the order is another
-- one, there is no page, and the caller uses package_list.
WITH many AS MATERIALIZED (
    SELECT EXISTS (SELECT
        FROM (SELECT sum(m.listed_versions) OVER (ROWS UNBOUNDED PRECEDING) AS upto
                FROM (SELECT c.listed_versions FROM crate_names c
                       WHERE c.project_id = $1 AND c.normalized_name LIKE $2
                         AND strpos(c.normalized_name, $3) > 0 AND c.lists_many
                       UNION ALL
                      SELECT f.listed_versions
                        FROM (SELECT c.normalized_name, c.listed_versions FROM crate_names c
                               WHERE c.project_id = $1 AND $2::text IS NULL AND length($3) = 1
                               LIMIT 5000) f
                       WHERE strpos(f.normalized_name, $3) > 0
                       LIMIT $8::bigint + 1) m) s
       WHERE s.upto > $8) AS is_enough),
matched AS MATERIALIZED (
    SELECT m.id, m.normalized_name, sum(m.listed_versions) OVER (ROWS UNBOUNDED PRECEDING) AS upto
      FROM (SELECT c.crate_id AS id, c.normalized_name, c.listed_versions FROM crate_names c
             WHERE c.project_id = $1 AND c.normalized_name LIKE $2
               AND strpos(c.normalized_name, $3) > 0 AND c.listed_versions > 0
               AND NOT (SELECT is_enough FROM many)
             UNION ALL
            SELECT c.crate_id AS id, c.normalized_name, c.listed_versions FROM crate_names c
             WHERE c.project_id = $1 AND $2::text IS NULL
               AND crates_short_parts(c.normalized_name) @> ARRAY[left($3, 3), right($3, 3)]
               AND strpos(c.normalized_name, $3) > 0 AND c.listed_versions > 0
               AND NOT (SELECT is_enough FROM many)
             LIMIT $8 + 1) m),
counted AS MATERIALIZED (
    SELECT coalesce((SELECT $8 + 1 FROM many WHERE is_enough),
                    (SELECT $8 + 1 FROM matched WHERE upto > $8 LIMIT 1),
                    (SELECT max(upto) FROM matched), 0)::bigint AS total),
walked AS MATERIALIZED (
    SELECT w.id, row_number() OVER () AS place
      FROM (SELECT o.id
              FROM (SELECT v.id, v.normalized_name
                      FROM versions v
                     WHERE v.project_id = $1 AND v.status IN ('default', 'deprecated', 'error')
                       AND $4::text = 'created_at'
                     ORDER BY CASE WHEN NOT $5::boolean THEN v.published_at END,
                              CASE WHEN $5 THEN v.published_at END DESC,
                              CASE WHEN NOT $5 THEN v.id END,
                              CASE WHEN $5 THEN v.id END DESC
                     LIMIT 20000) o
             WHERE (SELECT total FROM counted) > $8 AND strpos(o.normalized_name, $3) > 0
             LIMIT $6::bigint OFFSET $7::bigint) w),
sorted AS (
    SELECT s.id, row_number() OVER () AS place
      FROM (SELECT v.id
              FROM matched m
             CROSS JOIN LATERAL (
                   SELECT v.id, v.version_base, v.published_at
                     FROM versions v
                    WHERE v.crate_id = m.id AND v.project_id = $1
                      AND v.status IN ('default', 'deprecated', 'error')
                   OFFSET 0) v
             WHERE (SELECT total FROM counted) <= $8
             ORDER BY CASE WHEN $4 = 'name' AND NOT $5 THEN m.normalized_name END,
                      CASE WHEN $4 = 'name' AND $5 THEN m.normalized_name END DESC,
                      CASE WHEN $4 = 'version' AND NOT $5
                           THEN version_order(v.version_base) COLLATE "C" END,
                      CASE WHEN $4 = 'version' AND $5
                           THEN version_order(v.version_base) COLLATE "C" END DESC,
                      CASE WHEN $4 = 'created_at' AND NOT $5 THEN v.published_at END,
                      CASE WHEN $4 = 'created_at' AND $5 THEN v.published_at END DESC,
                      CASE WHEN NOT $5 THEN v.id END,
                      CASE WHEN $5 THEN v.id END DESC
             LIMIT $6 OFFSET $7) s)
SELECT @package,
       t.total, t.total <= $8 OR (SELECT count(*) FROM walked) = $6 AS is_page
  FROM counted t
  LEFT JOIN ((SELECT * FROM walked UNION ALL SELECT * FROM sorted) page
             CROSS JOIN LATERAL (SELECT * FROM package_entries e WHERE e.id = page.id OFFSET 0) e)
       ON true
 ORDER BY page.place;

-- name: package_count
-- $1 to $4 as in package_list, $5 up to how many to count: the same rows.  Without a name, a range of
-- versions_listed_time; with a name, the crates are found as in package_list, and for each, or in their
-- order if most have the name, a range of versions_listed_crate.  No rows are read, only the indexes.
SELECT count(*) AS counted
  FROM (SELECT
          FROM versions v LEFT JOIN crate_names c ON c.crate_id = v.crate_id AND c.project_id = v.project_id
         WHERE v.project_id = $1 AND v.status = ANY ($2::text[])
                  AND ($3::text IS NULL OR c.normalized_name LIKE $3)
                  AND ($4::text IS NULL OR v.version = $4)
         LIMIT $5::bigint) page;

-- name: package_list_group
-- $1 projects; $2 to $8 as in package_list; the order can also be project_path.  The page is sorted out of
-- the first pages of each project, which are found as in package_list.  With a name, only projects that
-- have it are looked at: one search in crate_names_trigrams finds them, where each project would need a
-- search of its own.
SELECT @package
  FROM (SELECT page.id, row_number() OVER () AS place
          FROM (SELECT o.id
                  FROM projects p
                 CROSS JOIN LATERAL (
                       SELECT v.id, v.published_at,
                              CASE WHEN $5::text = 'version'
                                   THEN version_order(v.version_base) COLLATE "C" END AS version_order
                         FROM versions v
                         LEFT JOIN crate_names c ON c.crate_id = v.crate_id AND c.project_id = v.project_id
                        WHERE v.project_id = p.id AND v.status = ANY ($2::text[])
                          AND ($3::text IS NULL OR c.normalized_name LIKE $3)
                          AND ($4::text IS NULL OR v.version = $4)
                        ORDER BY CASE WHEN $5 = 'version' AND NOT $6::boolean
                                      THEN version_order(v.version_base) COLLATE "C" END,
                                 CASE WHEN $5 = 'version' AND $6
                                      THEN version_order(v.version_base) COLLATE "C" END DESC,
                                 CASE WHEN $5 <> 'version' AND NOT $6 THEN v.published_at END,
                                 CASE WHEN $5 <> 'version' AND $6 THEN v.published_at END DESC,
                                 CASE WHEN NOT $6 THEN v.id END,
                                 CASE WHEN $6 THEN v.id END DESC
                        LIMIT $7::bigint + $8::bigint) o
                 WHERE p.id = ANY ($1::bigint[])
                   AND ($3 IS NULL OR p.id IN (
                       SELECT n.project_id FROM crate_names n WHERE n.normalized_name LIKE $3))
                 ORDER BY CASE WHEN $5 = 'project_path' AND NOT $6 THEN lower(p.full_path) END,
                          CASE WHEN $5 = 'project_path' AND $6 THEN lower(p.full_path) END DESC,
                          CASE WHEN $5 = 'version' AND NOT $6 THEN o.version_order END,
                          CASE WHEN $5 = 'version' AND $6 THEN o.version_order END DESC,
                          CASE WHEN $5 <> 'version' AND NOT $6 THEN o.published_at END,
                          CASE WHEN $5 <> 'version' AND $6 THEN o.published_at END DESC,
                          CASE WHEN NOT $6 THEN o.id END,
                          CASE WHEN $6 THEN o.id END DESC
                 LIMIT $7 OFFSET $8) page) page
  JOIN package_entries e USING (id)
 ORDER BY page.place;

-- name: package_list_group_by_name
-- $1 projects; $2 to $7 as in package_list_by_name, sorted out of the first pages of each project; with a
-- name, of those that have it, as in package_list_group.
SELECT @package
  FROM (SELECT page.id, row_number() OVER () AS place
          FROM (SELECT o.id
                  FROM unnest($1::bigint[]) AS p (id)
                 CROSS JOIN LATERAL (
                       SELECT v.id, c.normalized_name
                         FROM crates c JOIN versions v ON v.crate_id = c.id
                         LEFT JOIN crate_names n ON n.crate_id = c.id
                        WHERE c.project_id = p.id AND v.status = ANY ($2::text[])
                          AND ($3::text IS NULL OR c.normalized_name LIKE $3 AND n.normalized_name LIKE $3)
                          AND ($4::text IS NULL OR v.version = $4)
                        ORDER BY CASE WHEN NOT $5::boolean THEN c.normalized_name END,
                                 CASE WHEN $5 THEN c.normalized_name END DESC,
                                 CASE WHEN NOT $5 THEN v.id END,
                                 CASE WHEN $5 THEN v.id END DESC
                        LIMIT $6::bigint + $7::bigint) o
                 WHERE $3 IS NULL OR p.id IN (
                     SELECT n.project_id FROM crate_names n WHERE n.normalized_name LIKE $3)
                 ORDER BY CASE WHEN NOT $5 THEN o.normalized_name END,
                          CASE WHEN $5 THEN o.normalized_name END DESC,
                          CASE WHEN NOT $5 THEN o.id END,
                          CASE WHEN $5 THEN o.id END DESC
                 LIMIT $6 OFFSET $7) page) page
  JOIN package_entries e USING (id)
 ORDER BY page.place;

-- name: package_count_group
-- $1 projects; the rest as in package_count.
SELECT count(*) AS counted
  FROM (SELECT
          FROM versions v LEFT JOIN crate_names c ON c.crate_id = v.crate_id AND c.project_id = v.project_id
         WHERE v.project_id = ANY ($1::bigint[]) AND v.status = ANY ($2::text[])
                  AND ($3::text IS NULL OR c.normalized_name LIKE $3)
                  AND ($4::text IS NULL OR v.version = $4)
         LIMIT $5::bigint) page;

-- name: package_find
-- $1 project, $2 package.  One row by primary key; all joins of the view are such look-ups.
SELECT @package
  FROM package_entries e
 WHERE e.id = $2 AND e.project_id = $1;

-- name: package_other_versions
-- $1 package, $2 how many.  The newest listed versions of the same crate except this one: by the index of
-- the unique constraint (crate_id, version_base), sorted, since most crates have few.
SELECT @package
  FROM (SELECT v.id
          FROM versions o JOIN versions v ON v.crate_id = o.crate_id
         WHERE o.id = $1 AND v.id <> o.id AND v.status IN ('default', 'deprecated')
         ORDER BY v.id DESC
         LIMIT $2::bigint) page
  JOIN package_entries e USING (id)
 ORDER BY e.id DESC;
