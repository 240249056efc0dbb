-- Crates by one or two letters of their names, or letters around a dash, of which an index of
-- trigrams knows nothing: to read all names took the longer, the more there are.

-- Each letter of the name, each two that stand together, and each three with a dash.  That costs as
-- much as to compare hundreds of names: the index serves sooner than a scan.
CREATE FUNCTION crates_short_parts(normalized_name text) RETURNS text[]
LANGUAGE sql IMMUTABLE COST 1000 AS $$
	SELECT array_agg(DISTINCT part)
	  FROM generate_series(1, char_length(normalized_name)) AS i, generate_series(1, 3) AS n,
	       substr(normalized_name, i, n) AS part
	 WHERE n < 3 OR part LIKE '%-%'
$$;
CREATE INDEX crates_short_parts ON crates USING gin (crates_short_parts(normalized_name)) WITH (fastupdate = off);
