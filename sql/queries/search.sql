-- name: search_plan
-- $1 plan_cache_mode.  Sent before a search, for this search only.  The tables of a search are small and
-- always in memory, where random reads cost no more than sequential ones, and comparisons of words or
-- names cost several times what PostgreSQL assumes; without this, a word that one row in a hundred has
-- would be searched for in all rows.  Names are alike if they share half of their trigrams: with a lower
-- limit, most lists of the index would be read to their ends.
SELECT set_config('plan_cache_mode', $1::text, true), set_config('random_page_cost', '1.1', true),
       set_config('cpu_operator_cost', '0.02', true),
       set_config('pg_trgm.similarity_threshold', '0.5', true);

-- part: search_named
-- Names of project $1 that begin with $2: the first 500, a range of crate_search_name in its order, and if
-- there may be more, those among the 200 crates with the most weight, the beginning of
-- crate_search_weight.  Both have all columns that are compared, whatever the name.
begun AS MATERIALIZED (
    SELECT s.crate_id, s.normalized_name, s.weight
      FROM crate_search s
     WHERE s.project_id = $1 AND s.normalized_name >= $2::text AND s.normalized_name < $2 || '{'
     ORDER BY s.normalized_name
     LIMIT 500),
named AS MATERIALIZED (
    SELECT s.crate_id, s.normalized_name, search_name_rank(s.normalized_name, $2) * (1 + s.weight) AS score
      FROM (SELECT * FROM begun
             UNION ALL
            SELECT h.* FROM (SELECT h.crate_id, h.normalized_name, h.weight FROM crate_search h
                     WHERE h.project_id = $1 AND h.weight > 0 AND (SELECT count(*) FROM begun) = 500
                     ORDER BY h.weight DESC LIMIT 200) h
             WHERE h.normalized_name > (SELECT max(b.normalized_name) FROM begun b)
               AND h.normalized_name < $2 || '{') s)

-- part: search_shown
-- The columns of a crate that a page shows, one row by primary key for each crate.
(SELECT c.name, c.max_version, c.description FROM crate_search c WHERE c.crate_id = p.crate_id OFFSET 0) s

-- name: search_names
-- $1 project, $2 the name to search for, in normal form, $3 how many, $4 how many to skip.  The names that
-- begin with it, the exact one first: one plan serves all.  Always at least one row: it has the number of
-- all matches, and a crate of the page, if the page has one.
WITH @search_named,
page AS (
    SELECT * FROM named ORDER BY score DESC, normalized_name
     LIMIT $3::bigint OFFSET $4::bigint)
SELECT t.total, s.name, s.max_version, s.description
  FROM (SELECT count(*) AS total FROM named) t
  LEFT JOIN (page p CROSS JOIN LATERAL @search_shown) ON true
 ORDER BY p.score DESC, p.normalized_name;

-- part: search_asked
-- $3 words for to_tsquery, $4 the same words as text, $5 whether names begin so.  A word that is its own
-- stem is not searched for a second time; nor is the rest of the beginning of a name without "a", "in" or
-- "t", which the stems of English leave out.
CASE WHEN plainto_tsquery('simple', $4) = plainto_tsquery('english', $4)
                                   OR $5::boolean AND numnode(plainto_tsquery('simple', $4))
                                                      > numnode(plainto_tsquery('english', $4))
                              THEN to_tsquery('simple', $3)
                              ELSE to_tsquery('simple', $3) || plainto_tsquery('english', $4) END

-- name: search_words
-- $1 project, $2 the name, $3 words for to_tsquery, $4 the same words as text, $5 whether names begin so,
-- $6 how many at most.  Among the first 500 crates that have the words, those that match best by a cheap
-- measure: their ids in one array, as text, and how many of the 500 do not begin with the name.  They are
-- found by crate_search_words, or, for a word that nearly all crates have, by a scan that ends when it has
-- enough.  The statement is planned for its values, since only they tell which word is frequent and which
-- is rare; a plan for unknown values would cost several times as much.  Planning takes little time, since
-- the statement is short.
SELECT (array_agg(f.crate_id ORDER BY f.fit DESC, f.normalized_name))[1:$6::bigint]::text AS ids,
       count(*) FILTER (WHERE NOT f.is_named) AS others
  FROM (SELECT s.crate_id, s.normalized_name,
               s.normalized_name >= $2::text AND s.normalized_name < $2 || '{' AS is_named,
               ts_rank('{0,0.4,0.5,0.6}', s.document, @search_asked) * (1 + s.weight) AS fit
          FROM crate_search s
         WHERE s.project_id = $1 AND s.document @@ @search_asked
         LIMIT 500) f;

-- name: search_ranked
-- $1 to $5 as in search_words, $6 and $7 its results, $8 how many, $9 how many to skip.  As search_names,
-- when that has found fewer than 500: it adds the crates that match by words, each by primary key, and if
-- these are 100 or more, also those of the 200 crates with the most weight.  A word counts most in a name,
-- and more as a keyword than in a description, of which only the stems are stored: if a word is not found
-- as it is written, the text is read.  A stem, which can be of another word, and the beginning of a word
-- count less.  One plan serves all.
WITH @search_named,
asked AS MATERIALIZED (SELECT @search_asked AS words, plainto_tsquery('simple', $4) AS whole),
compared AS (
    SELECT w.crate_id, w.normalized_name, w.weight, search_name_rank(w.normalized_name, $2) AS name_rank,
           ts_rank('{0,0,0,0.6}', w.document, a.words) AS words_rank,
           ts_rank('{0,0.4,0.5,0}', w.document, a.words) AS about,
           w.document @@ a.whole
           OR w.description ~* ('\m(?:' || replace($4, ' ', '|') || ')\M') AS is_whole
      FROM asked a CROSS JOIN LATERAL
           (SELECT s.crate_id, s.normalized_name, s.weight, s.document, s.description
              FROM crate_search s WHERE s.crate_id = ANY ($6::bigint[]) AND s.project_id = $1
             UNION ALL
            SELECT s.* FROM (SELECT h.crate_id, h.normalized_name, h.weight, h.document, h.description
                      FROM crate_search h
                     WHERE h.project_id = $1 AND h.weight > 0 AND cardinality($6::bigint[]) >= 100
                     ORDER BY h.weight DESC LIMIT 200) s
             WHERE s.document @@ a.words AND s.crate_id NOT IN (SELECT unnest($6::bigint[]))) w
    OFFSET 0),
found AS MATERIALIZED (
    SELECT f.crate_id, f.normalized_name, max(f.score) AS score
      FROM (SELECT * FROM named
             UNION ALL
            SELECT m.crate_id, m.normalized_name,
                   (greatest(m.name_rank, m.words_rank, m.about)
                    + least(greatest(m.name_rank, m.words_rank), m.about) / 2) * (1 + m.weight)
                   * CASE WHEN m.is_whole THEN 1::float8 ELSE 0.6 END
              FROM compared m) f
     GROUP BY f.crate_id, f.normalized_name),
page AS (
    SELECT * FROM found ORDER BY score DESC, normalized_name
     LIMIT $8::bigint OFFSET $9::bigint)
SELECT greatest(t.total, (SELECT count(*) FROM named) + $7::bigint) AS total, s.name, s.max_version,
       s.description
  FROM (SELECT count(*) AS total FROM found) t
  LEFT JOIN (page p CROSS JOIN LATERAL @search_shown) ON true
 ORDER BY p.score DESC, p.normalized_name;

-- name: search_alike
-- $1 project, $2 the name, $3 a pattern for LIKE, $4 how many, $5 how many to skip.  For when nothing else
-- is found: names that contain it, or that differ by a typing error, by crate_search_trigrams and
-- crate_search_slips, each for itself, since rows of only one index would be compared with everything that
-- the other index finds.  If there are none, names that look alike, by crate_search_trigrams.  One plan
-- serves all.
WITH meant AS MATERIALIZED (
    SELECT m.crate_id, m.normalized_name,
           similarity(m.normalized_name, $2)::float8 * (1 + m.weight / 4.0) AS score
      FROM ((SELECT s.crate_id, s.normalized_name, s.weight FROM crate_search s
              WHERE s.project_id = $1 AND s.normalized_name LIKE $3::text
              LIMIT 500)
            UNION
            (SELECT s.crate_id, s.normalized_name, s.weight FROM crate_search s
              WHERE s.project_id = $1 AND search_slips(s.normalized_name) && search_slips($2)
              LIMIT 500)) m
     LIMIT 500),
alike AS MATERIALIZED (
    SELECT s.crate_id, s.normalized_name,
           similarity(s.normalized_name, $2)::float8 * (1 + s.weight / 4.0) AS score
      FROM crate_search s
     WHERE s.project_id = $1 AND s.normalized_name % $2 AND NOT EXISTS (SELECT FROM meant)
     LIMIT 500),
found AS MATERIALIZED (
    SELECT * FROM meant UNION ALL SELECT * FROM alike),
page AS (
    SELECT * FROM found ORDER BY score DESC, normalized_name
     LIMIT $4::bigint OFFSET $5::bigint)
SELECT t.total, s.name, s.max_version, s.description
  FROM (SELECT count(*) AS total FROM found) t
  LEFT JOIN (page p CROSS JOIN LATERAL @search_shown) ON true
 ORDER BY p.score DESC, p.normalized_name;

-- name: search_all
-- $1 project, $2 how many, $3 how many to skip.  As search_names, for all crates of the project.  The
-- number of crates is stored for each pair of first letters, by primary key.  The page is a range of
-- crate_search_name that begins with the first letters of its first crate: no entries with earlier letters
-- are read, and no rows before the page.
WITH parts AS MATERIALIZED (
    SELECT part, sum(crates) OVER (ORDER BY part)::bigint AS upto, crates FROM search_counts
           WHERE project_id = $1),
first AS MATERIALIZED (
    SELECT chr(part / 256) || coalesce(chr(nullif(part % 256, 0)), '') AS name,
           $3::bigint - (upto - crates) AS skip
      FROM parts WHERE upto > $3::bigint ORDER BY part LIMIT 1),
page AS (
    SELECT s.crate_id, s.normalized_name FROM crate_search s
     WHERE s.project_id = $1 AND s.normalized_name >= (SELECT name FROM first)
     ORDER BY s.normalized_name LIMIT $2::bigint OFFSET (SELECT skip FROM first))
SELECT t.total, s.name, s.max_version, s.description
  FROM (SELECT coalesce(max(upto), 0) AS total FROM parts) t
  LEFT JOIN (page p CROSS JOIN LATERAL @search_shown) ON true
 ORDER BY p.normalized_name;

-- name: search_weigh
-- $1 the last crate of the batch before: weighs the next 200, by primary key.  The crates that depend on
-- one are found by dependencies_inside, 10000 dependencies at most, and its downloads by the primary key
-- of download_days.  If a weight does not change, nothing is written.  A crate that an older program has
-- written, without the columns that narrow a search, becomes due.  Returns the last crate or null, and how
-- many weights have changed.
WITH batch AS MATERIALIZED (
    SELECT s.crate_id, s.project_id, s.normalized_name, s.yanked
      FROM crate_search s WHERE s.crate_id > $1 ORDER BY s.crate_id LIMIT 200),
weighed AS MATERIALIZED (
    SELECT b.crate_id, search_weight(
           (SELECT count(DISTINCT d.crate_id)
              FROM (SELECT o.version_id, o.crate_id FROM dependencies o
                     WHERE o.project_id = b.project_id
                       AND o.normalized_name = b.normalized_name COLLATE "default"
                       AND o.registry IS NULL
                     LIMIT 10000) d
              JOIN versions v ON v.id = d.version_id AND v.status IN ('default', 'deprecated')
             WHERE d.crate_id <> b.crate_id),
           (SELECT coalesce(sum(n.downloads), 0)::bigint FROM download_days n
             WHERE n.crate_id = b.crate_id AND n.day > current_date - 30)) AS weight
      FROM batch b),
due AS (
    INSERT INTO crates_due (crate_id) SELECT b.crate_id FROM batch b WHERE b.yanked IS NULL),
written AS (
    UPDATE crate_search s SET weight = w.weight
      FROM weighed w WHERE s.crate_id = w.crate_id AND s.weight <> w.weight
    RETURNING s.crate_id)
SELECT max(crate_id) AS last, (SELECT count(*) FROM written) AS written FROM batch;
