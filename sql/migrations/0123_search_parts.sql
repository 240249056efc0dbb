-- floor: 0122
-- How many crates a project has for each two first letters of their names: the sum is how many a search for
-- nothing in particular finds, and a late page of it begins in its part, so that those before it are not
-- stepped over one by one.

-- Parts are in the order of the names, which begin with two ASCII characters.
CREATE FUNCTION search_part(normalized_name text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT ascii(normalized_name) * 256 + ascii(substr(normalized_name, 2))
$$;

CREATE OR REPLACE FUNCTION crate_search_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		INSERT INTO search_counts AS c (project_id, part, crates)
		VALUES (NEW.project_id, search_part(NEW.normalized_name), 1)
		    ON CONFLICT (project_id, part) DO UPDATE SET crates = c.crates + 1;
	ELSE
		UPDATE search_counts SET crates = crates - 1
		 WHERE project_id = OLD.project_id AND part = search_part(OLD.normalized_name);
	END IF;
	RETURN NULL;
END
$$;

-- Nobody adds one between the counting and the end.
LOCK TABLE crate_search IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE search_counts DROP CONSTRAINT search_counts_part_check,
	ADD CONSTRAINT search_counts_part_check CHECK (part BETWEEN 0 AND 65535);
DELETE FROM search_counts;
INSERT INTO search_counts (project_id, part, crates)
SELECT project_id, search_part(normalized_name), count(*) FROM crate_search GROUP BY 1, 2;
