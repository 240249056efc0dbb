-- How many crates a search for nothing in particular finds, which is all of a project: kept by the
-- database, since to count them lasts the longer the more there are.  Only the first version of a
-- crate, and the last, change it; those that come at once mostly meet at different parts.

CREATE TABLE search_counts (
	project_id bigint NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
	part       integer NOT NULL CHECK (part BETWEEN 0 AND 7),
	crates     bigint NOT NULL CHECK (crates >= 0),
	PRIMARY KEY (project_id, part)
) WITH (fillfactor = 50);

CREATE FUNCTION crate_search_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		INSERT INTO search_counts AS c (project_id, part, crates)
		VALUES (NEW.project_id, NEW.crate_id % 8, 1)
		    ON CONFLICT (project_id, part) DO UPDATE SET crates = c.crates + 1;
	ELSE
		UPDATE search_counts SET crates = crates - 1
		 WHERE project_id = OLD.project_id AND part = OLD.crate_id % 8;
	END IF;
	RETURN NULL;
END
$$;

-- Nobody adds one between the counting and the trigger.
LOCK TABLE crate_search IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO search_counts (project_id, part, crates)
SELECT project_id, crate_id % 8, count(*) FROM crate_search GROUP BY 1, 2;
CREATE TRIGGER crate_search_counted AFTER INSERT OR DELETE ON crate_search
	FOR EACH ROW EXECUTE FUNCTION crate_search_count();
