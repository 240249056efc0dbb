-- Names by what remains when one letter is left out: two names that a slip of the finger lies
-- between (a letter too many, one too few, another one, two that changed places) have one of these
-- in common.  Few names have the same, so that to find those of a misspelt word takes no longer
-- among many crates than among few.
-- replaces: 232a89c515061c80a01f331460cef49e486858d988c35f5e299da223cf4a9f66

-- step: transaction
-- Numbers for the name without each of its letters, and for all of it.  That costs as much as to
-- compare hundreds of names: the index serves sooner than a scan.
CREATE FUNCTION search_slips(normalized_name text) RETURNS bigint[]
LANGUAGE sql IMMUTABLE COST 1000 AS $$
	SELECT array_agg(DISTINCT hashtextextended(left(normalized_name, i - 1) || substr(normalized_name, i + 1), 0))
	  FROM generate_series(1, char_length(normalized_name) + 1) AS i
$$;

-- step: index crate_search_slips
CREATE INDEX CONCURRENTLY crate_search_slips ON crate_search USING gin (search_slips(normalized_name));
