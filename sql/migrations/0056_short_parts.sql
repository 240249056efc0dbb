-- Crates by one or two letters of their names, of which an index of trigrams knows nothing: to read
-- all names took the longer, the more there are.

-- Each letter of the name, and each two that stand together.  That costs as much as to compare
-- hundreds of names: the index serves sooner than a scan.
CREATE FUNCTION crates_short_parts(normalized_name text) RETURNS text[]
LANGUAGE sql IMMUTABLE COST 1000 AS $$
	SELECT array_agg(DISTINCT substr(normalized_name, i, n))
	  FROM generate_series(1, char_length(normalized_name)) AS i, generate_series(1, 2) AS n
$$;
CREATE INDEX crates_short_parts ON crates USING gin (crates_short_parts(normalized_name)) WITH (fastupdate = off);
