-- What a search can be narrowed by, beside the project: keywords, licence, Rust, yanked versions.
-- floor: 0122

-- step: transaction
-- All of the version that is shown, but `yanked`: 0 no version is, 1 some are, 2 all are.  Programs before this
-- migration leave all of them null in a new row; the task weigh_crates makes such a crate due.
ALTER TABLE crate_search
	ADD COLUMN keywords text[],
	ADD COLUMN license  text,
	ADD COLUMN rust     integer,
	ADD COLUMN yanked   smallint;

-- "1.70" and "1.70.1" as numbers in their order: 1070000, 1070001.  Null for what is none.
CREATE FUNCTION search_rust(rust_version text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN rust_version ~ '^[0-9]{1,3}(\.[0-9]{1,3}){0,2}$'
	            THEN split_part(rust_version, '.', 1)::integer * 1000000
	                 + coalesce(nullif(split_part(rust_version, '.', 2), ''), '0')::integer * 1000
	                 + coalesce(nullif(split_part(rust_version, '.', 3), ''), '0')::integer END
$$;

CREATE FUNCTION search_yanked(crate bigint) RETURNS smallint LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN bool_and(v.yanked) THEN 2 WHEN bool_or(v.yanked) THEN 1 ELSE 0 END::smallint
	  FROM versions v WHERE v.crate_id = crate AND v.status IN ('default', 'deprecated')
$$;

-- step: batches crate_search
WITH batch AS MATERIALIZED (
	SELECT crate_id, max_version FROM crate_search WHERE crate_id > $1 ORDER BY crate_id LIMIT 1000
), written AS (
	UPDATE crate_search s
	   SET keywords = lower(v.keywords::text)::text[], license = v.license, rust = search_rust(v.rust_version),
	       yanked = search_yanked(b.crate_id)
	  FROM batch b JOIN versions v ON v.crate_id = b.crate_id AND v.version_base = split_part(b.max_version, '+', 1)
	 WHERE s.crate_id = b.crate_id
)
SELECT max(crate_id) FROM batch;
