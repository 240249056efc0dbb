-- Packages by a part of their crate's name, in a project of any size.

-- How many versions of the crate are listed without being asked for: whoever changes one writes the
-- index file as well.  So more than ten thousand packages are known from a part of the crates.
ALTER TABLE crates ADD COLUMN listed_versions integer NOT NULL DEFAULT 0;
UPDATE crates c SET listed_versions = v.n
  FROM (SELECT crate_id, count(*) AS n FROM versions
         WHERE status IN ('default', 'deprecated', 'error') GROUP BY crate_id) v
 WHERE v.crate_id = c.id;

CREATE FUNCTION crates_count_listed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.listed_versions := (SELECT count(*) FROM versions v
	                         WHERE v.crate_id = NEW.id AND v.project_id = NEW.project_id
	                           AND v.status IN ('default', 'deprecated', 'error'));
	RETURN NEW;
END
$$;
CREATE TRIGGER crates_listed BEFORE UPDATE OF index_body ON crates
	FOR EACH ROW EXECUTE FUNCTION crates_count_listed();

-- By name alone: which project it is tells less than three letters where a project is large, and
-- where it is small nobody needs this index.
DROP INDEX crates_name_trigrams;
CREATE INDEX crates_name_trigrams ON crates USING gin (normalized_name gin_trgm_ops);

-- Names by id, and versions with what lists compare, so that neither is looked up in a row.
CREATE INDEX crates_names ON crates (id) INCLUDE (normalized_name);
DROP INDEX versions_listed_crate;
CREATE INDEX versions_listed_crate ON versions (crate_id, project_id) INCLUDE (published_at, id)
	WHERE status IN ('default', 'deprecated', 'error');
DROP INDEX versions_listed_time;
CREATE INDEX versions_listed_time ON versions (project_id, published_at, id) INCLUDE (crate_id)
	WHERE status IN ('default', 'deprecated', 'error');
