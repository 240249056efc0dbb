-- name: search_plan
-- $1 plan_cache_mode.  Sent before a search, for it alone: what is searched is small and always in
-- memory, where to jump costs no more than to read on; to compare words or names costs several
-- times what PostgreSQL takes for it.  Otherwise a word that some hundredth have is looked for in
-- all rows.  And names look alike that share half of their trigrams: with fewer, most lists of the
-- index would have to be read to their ends.
SELECT set_config('plan_cache_mode', $1::text, true), set_config('random_page_cost', '1.1', true),
       set_config('cpu_operator_cost', '0.02', true),
       set_config('pg_trgm.similarity_threshold', '0.5', true);

-- part: search_named
-- The first 500 names that begin with $2, of project $1: a range of crate_search_name in its order,
-- which has all that is compared, whatever the name.
SELECT s.crate_id, s.normalized_name, length(s.normalized_name) AS letters
      FROM crate_search s
     WHERE s.project_id = $1 AND s.normalized_name >= $2::text AND s.normalized_name < $2 || '{'
     ORDER BY s.normalized_name
     LIMIT 500

-- part: search_shown
-- What is shown of a crate of the page, one row by primary key for each.
(SELECT c.name, c.max_version, c.description FROM crate_search c WHERE c.crate_id = p.crate_id OFFSET 0) s

-- name: search_names
-- $1 project, $2 what is looked for as a name in normal form, $3 how many, $4 after how many.  The
-- names that begin so, the shortest before the others, which is the exact one if it is there: one
-- plan serves all.  Always a row: how many there are in all, and a crate of the page, if it has one.
WITH named AS MATERIALIZED (@search_named),
page AS (
    SELECT * FROM named ORDER BY letters, normalized_name
     LIMIT $3::bigint OFFSET $4::bigint)
SELECT t.total, s.name, s.max_version, s.description
  FROM (SELECT count(*) AS total FROM named) t
  LEFT JOIN (page p CROSS JOIN LATERAL @search_shown) ON true
 ORDER BY p.letters, p.normalized_name;

-- part: search_words
-- $3 words for to_tsquery, $4 the same as text: what a document has to match.  Words that are their
-- own stems are not looked for a second time.
s.project_id = $1
       AND s.document @@ CASE WHEN plainto_tsquery('simple', $4) = plainto_tsquery('english', $4)
                              THEN to_tsquery('simple', $3)
                              ELSE to_tsquery('simple', $3) || plainto_tsquery('english', $4) END

-- name: search_begun
-- $1 project, $2 the name, $3 its words for to_tsquery, $4 the same as text, $5 how many, $6 after
-- how many.  As search_names, where that has found some and fewer than 500: after them up to 500
-- others by words, by crate_search_words, or for a word that nearly all have, by a scan that ends
-- at the five hundredth.  A plan is made for the values, since what is common in general and rare
-- in particular is known only then: one for unknown values would cost a multiple.
WITH named AS MATERIALIZED (@search_named),
worded AS MATERIALIZED (
    SELECT s.crate_id, s.normalized_name,
           ts_rank(s.document, to_tsquery('simple', $3) || plainto_tsquery('english', $4))::float8
           + similarity(s.normalized_name, $2) AS score
      FROM crate_search s
     WHERE @search_words
       AND NOT (s.normalized_name >= $2 AND s.normalized_name < $2 || '{')
     LIMIT 500),
found AS MATERIALIZED (
    SELECT n.crate_id, n.normalized_name, n.letters, NULL AS score FROM named n
     UNION ALL
    SELECT w.crate_id, w.normalized_name, NULL, w.score FROM worded w),
page AS (
    SELECT * FROM found ORDER BY letters, score DESC, normalized_name
     LIMIT $5::bigint OFFSET $6::bigint)
SELECT t.total, s.name, s.max_version, s.description
  FROM (SELECT count(*) AS total FROM found) t
  LEFT JOIN (page p CROSS JOIN LATERAL @search_shown) ON true
 ORDER BY p.letters, p.score DESC, p.normalized_name;

-- name: search_page
-- $1 to $6 as of search_begun, $7 a pattern for LIKE or null.  Where no name begins so: up to 500
-- by words, as there; where there are none, names that it is a part of or a slip away from, by
-- crate_search_trigrams and crate_search_slips, each by itself: what one index only may have found
-- would be compared with all that the other looks for.  Where there are none of these, names that
-- look alike, by crate_search_trigrams.
WITH worded AS MATERIALIZED (
    SELECT s.crate_id, s.normalized_name,
           ts_rank(s.document, to_tsquery('simple', $3) || plainto_tsquery('english', $4))::float8
           + similarity(s.normalized_name, $2) AS score
      FROM crate_search s
     WHERE @search_words
     LIMIT 500),
meant AS MATERIALIZED (
    SELECT m.crate_id, m.normalized_name, similarity(m.normalized_name, $2)::float8 AS score
      FROM ((SELECT s.crate_id, s.normalized_name FROM crate_search s
              WHERE s.project_id = $1 AND s.normalized_name LIKE $7::text
                AND NOT EXISTS (SELECT FROM worded)
              LIMIT 500)
            UNION
            (SELECT s.crate_id, s.normalized_name FROM crate_search s
              WHERE s.project_id = $1 AND search_slips(s.normalized_name) && search_slips($2)
                AND $7 IS NOT NULL AND NOT EXISTS (SELECT FROM worded)
              LIMIT 500)) m
     LIMIT 500),
alike AS MATERIALIZED (
    SELECT s.crate_id, s.normalized_name, similarity(s.normalized_name, $2)::float8 AS score
      FROM crate_search s
     WHERE s.project_id = $1 AND $7 IS NOT NULL AND s.normalized_name % $2
       AND NOT EXISTS (SELECT FROM worded) AND NOT EXISTS (SELECT FROM meant)
     LIMIT 500),
found AS MATERIALIZED (
    SELECT * FROM worded UNION ALL SELECT * FROM meant UNION ALL SELECT * FROM alike),
page AS (
    SELECT * FROM found ORDER BY score DESC, normalized_name
     LIMIT $5::bigint OFFSET $6::bigint)
SELECT t.total, s.name, s.max_version, s.description
  FROM (SELECT count(*) AS total FROM found) t
  LEFT JOIN (page p CROSS JOIN LATERAL @search_shown) ON true
 ORDER BY p.score DESC, p.normalized_name;

-- name: search_all
-- $1 project, $2 how many, $3 after how many.  As search_names, for all crates of the project.  How
-- many there are is kept in a few rows, by primary key; the page is a range of crate_search_name, so
-- that of those before it no row is looked at.
WITH page AS (
    SELECT s.crate_id, s.normalized_name FROM crate_search s WHERE s.project_id = $1
     ORDER BY s.normalized_name LIMIT $2::bigint OFFSET $3::bigint)
SELECT t.total, s.name, s.max_version, s.description
  FROM (SELECT coalesce(sum(crates), 0)::bigint AS total FROM search_counts WHERE project_id = $1) t
  LEFT JOIN (page p CROSS JOIN LATERAL @search_shown) ON true
 ORDER BY p.normalized_name;

-- name: search_set
-- $1 crate (locked), $2 the version that is shown.  One row by primary keys; where nothing of it is
-- different, as after most yanks, no index is written.
INSERT INTO crate_search AS old (crate_id, project_id, name, normalized_name, max_version,
       description, document)
SELECT c.id, c.project_id, c.name, c.normalized_name, v.version, left(v.description, 1000),
       search_document(c.normalized_name, v.keywords, v.description)
  FROM crates c JOIN versions v ON v.id = $2 AND v.crate_id = c.id
 WHERE c.id = $1
    ON CONFLICT (crate_id) DO UPDATE
       SET max_version = excluded.max_version, description = excluded.description,
           document = excluded.document
     WHERE (old.max_version, old.description, old.document)
           IS DISTINCT FROM (excluded.max_version, excluded.description, excluded.document);

-- name: search_remove
-- $1 crate (locked).  One row by primary key.
DELETE FROM crate_search WHERE crate_id = $1;
