-- Packages by a part of a name that many crates have, among any number of them.

-- The crate's name with each version, and in the order of time: who walks there for those that have
-- a word in it looks up nothing else.  A crate keeps its name for ever.
ALTER TABLE versions ADD COLUMN normalized_name text COLLATE "C";
CREATE FUNCTION versions_name(crate bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT normalized_name FROM crates WHERE id = crate
$$;
-- by writing the table anew: to update its rows would leave it twice as large
ALTER TABLE versions ALTER COLUMN normalized_name TYPE text COLLATE "C" USING versions_name(crate_id);
ALTER TABLE versions ALTER COLUMN normalized_name SET NOT NULL;
DROP FUNCTION versions_name(bigint);
CREATE FUNCTION versions_set_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.normalized_name := (SELECT c.normalized_name FROM crates c WHERE c.id = NEW.crate_id);
	RETURN NEW;
END
$$;
CREATE TRIGGER versions_named BEFORE INSERT ON versions
	FOR EACH ROW EXECUTE FUNCTION versions_set_name();
DROP INDEX versions_listed_time;
CREATE INDEX versions_listed_time ON versions (project_id, published_at, id) INCLUDE (crate_id, normalized_name)
	WHERE status IN ('default', 'deprecated', 'error');

-- Crates that list 20 versions or more: few, and most versions are theirs, so that a word that more
-- than ten thousand packages have is mostly known as such from these.  Not the number itself, so
-- that the index depends on what changes once and not with each version.
ALTER TABLE crates ADD COLUMN lists_many boolean NOT NULL GENERATED ALWAYS AS (listed_versions >= 20) STORED;
CREATE INDEX crates_many_trigrams ON crates USING gin (normalized_name gin_trgm_ops) WHERE lists_many;
