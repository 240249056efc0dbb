-- Packages by a part of a name that many crates have, among any number of them.
-- replaces: 0c44414be509c12a09eb32dd5bce3255ae6c5a3d9a15941ca7547e3647f08032

-- The crate's name with each version, and in the order of time: who walks there for those that have
-- a word in it looks up nothing else.  A crate keeps its name for ever.
-- step: transaction
ALTER TABLE versions ADD COLUMN normalized_name text COLLATE "C";
CREATE FUNCTION versions_set_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.normalized_name := (SELECT c.normalized_name FROM crates c WHERE c.id = NEW.crate_id);
	RETURN NEW;
END
$$;
CREATE TRIGGER versions_named BEFORE INSERT ON versions
	FOR EACH ROW EXECUTE FUNCTION versions_set_name();

-- step: batches versions
WITH batch AS MATERIALIZED (
	SELECT id FROM versions WHERE id > $1 ORDER BY id LIMIT 1000
), named AS (
	UPDATE versions v SET normalized_name = c.normalized_name
	  FROM batch b, crates c
	 WHERE v.id = b.id AND c.id = v.crate_id AND v.normalized_name IS NULL
)
SELECT max(id) FROM batch;

-- a check that is known to hold lets the column be NOT NULL without another look at all rows
-- step: transaction
ALTER TABLE versions ADD CONSTRAINT versions_named CHECK (normalized_name IS NOT NULL) NOT VALID;

-- step: transaction
ALTER TABLE versions VALIDATE CONSTRAINT versions_named;

-- step: transaction
ALTER TABLE versions ALTER COLUMN normalized_name SET NOT NULL;
ALTER TABLE versions DROP CONSTRAINT versions_named;

-- step: index versions_listed_time_new
CREATE INDEX CONCURRENTLY versions_listed_time_new ON versions (project_id, published_at, id) INCLUDE (crate_id, normalized_name)
	WHERE status IN ('default', 'deprecated', 'error');

-- step: transaction
DROP INDEX versions_listed_time;
ALTER INDEX versions_listed_time_new RENAME TO versions_listed_time;

-- Crates that list 20 versions or more: few, and most versions are theirs, so that a word that more
-- than ten thousand packages have is mostly known as such from these.  Not the number itself, so
-- that the index depends on what changes once and not with each version.  Its trigger comes after
-- crates_listed.  (A generated column would make PostgreSQL write the table anew; databases that
-- have one are told of in 0064_lists_many.)
-- step: transaction
ALTER TABLE crates ADD COLUMN lists_many boolean NOT NULL DEFAULT false;
CREATE FUNCTION crates_set_lists_many() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.lists_many := NEW.listed_versions >= 20;
	RETURN NEW;
END
$$;
CREATE TRIGGER crates_lists_many BEFORE INSERT OR UPDATE OF index_body, listed_versions ON crates
	FOR EACH ROW EXECUTE FUNCTION crates_set_lists_many();

-- step: batches crates
WITH batch AS MATERIALIZED (
	SELECT id FROM crates WHERE id > $1 ORDER BY id LIMIT 1000
), marked AS (
	UPDATE crates c SET lists_many = true
	  FROM batch b WHERE c.id = b.id AND c.listed_versions >= 20 AND NOT c.lists_many
)
SELECT max(id) FROM batch;

-- step: index crates_many_trigrams
CREATE INDEX CONCURRENTLY crates_many_trigrams ON crates USING gin (normalized_name gin_trgm_ops) WHERE lists_many;
