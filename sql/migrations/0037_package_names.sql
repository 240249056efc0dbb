-- Packages by a part of their crate's name, in a project of any size.
-- replaces: aaf30d5db2f4a484e10ae0bf6b7f8172ea7261c1d25300220a8d02eda68a7d1d

-- How many versions of the crate are listed without being asked for: whoever changes one writes the
-- index file as well.  So more than ten thousand packages are known from a part of the crates.
-- step: transaction
ALTER TABLE crates ADD COLUMN listed_versions integer NOT NULL DEFAULT 0;

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

-- Counts for the next crates.  They are locked first: whoever changes a version holds its crate until
-- the change can be seen.
CREATE FUNCTION crates_fill_listed(after bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	batch bigint[];
BEGIN
	SELECT array_agg(c.id) INTO batch
	  FROM (SELECT id FROM crates WHERE id > after ORDER BY id LIMIT 500 FOR NO KEY UPDATE) c;
	UPDATE crates c SET listed_versions = v.n
	  FROM (SELECT crate_id, count(*) AS n FROM versions
	         WHERE crate_id = ANY (batch) AND status IN ('default', 'deprecated', 'error')
	         GROUP BY crate_id) v
	 WHERE c.id = v.crate_id AND c.listed_versions <> v.n;
	RETURN (SELECT max(id) FROM unnest(batch) id);
END
$$;

-- step: batches crates
SELECT crates_fill_listed($1);

-- step: transaction
DROP FUNCTION crates_fill_listed(bigint);

-- By name alone: which project it is tells less than three letters where a project is large, and
-- where it is small nobody needs this index.
-- step: index crates_name_trigrams_new
CREATE INDEX CONCURRENTLY crates_name_trigrams_new ON crates USING gin (normalized_name gin_trgm_ops);

-- step: transaction
DROP INDEX crates_name_trigrams;
ALTER INDEX crates_name_trigrams_new RENAME TO crates_name_trigrams;

-- Names by id, and versions with what lists compare, so that neither is looked up in a row.
-- step: index crates_names
CREATE INDEX CONCURRENTLY crates_names ON crates (id) INCLUDE (normalized_name);

-- step: index versions_listed_crate_new
CREATE INDEX CONCURRENTLY versions_listed_crate_new ON versions (crate_id, project_id) INCLUDE (published_at, id)
	WHERE status IN ('default', 'deprecated', 'error');

-- step: transaction
DROP INDEX versions_listed_crate;
ALTER INDEX versions_listed_crate_new RENAME TO versions_listed_crate;

-- step: index versions_listed_time_new
CREATE INDEX CONCURRENTLY versions_listed_time_new ON versions (project_id, published_at, id) INCLUDE (crate_id)
	WHERE status IN ('default', 'deprecated', 'error');

-- step: transaction
DROP INDEX versions_listed_time;
ALTER INDEX versions_listed_time_new RENAME TO versions_listed_time;
