-- Crates that others use come first in a search.
-- floor: 0056

-- step: transaction
-- What weigh_crates makes of how many crates depend on it and how often it is downloaded.  In steps that
-- grow, so that few crates change theirs from one run to the next.
ALTER TABLE crate_search ADD COLUMN weight smallint NOT NULL DEFAULT 0;
CREATE FUNCTION search_weight(dependents bigint, downloads bigint) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
	SELECT round(4 * ln(1 + dependents::float8) + ln(1 + downloads::float8))::smallint
$$;
-- How well a name fits: it is what is looked for, it begins with that as whole words, or it begins so or has
-- these words later on.  The less else it has, the better.
CREATE FUNCTION search_name_rank(name text, wanted text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN name = wanted THEN 1000::float8
	            WHEN starts_with(name, wanted || '-')
	            THEN 0.5::float8 + 0.1::float8 * octet_length(wanted) / octet_length(name)
	            WHEN starts_with(name, wanted) OR strpos('-' || name || '-', '-' || wanted || '-') > 0
	            THEN 0.35::float8 + 0.1::float8 * octet_length(wanted) / octet_length(name)
	            ELSE 0::float8 END
$$;

-- step: index crate_search_weight
CREATE INDEX CONCURRENTLY crate_search_weight ON crate_search (project_id, weight DESC) INCLUDE (crate_id, normalized_name)
	WHERE weight > 0;

-- step: index crate_search_name_new
CREATE INDEX CONCURRENTLY crate_search_name_new ON crate_search (project_id, normalized_name) INCLUDE (crate_id, weight);

-- step: transaction
DROP INDEX crate_search_name;
ALTER INDEX crate_search_name_new RENAME TO crate_search_name;
