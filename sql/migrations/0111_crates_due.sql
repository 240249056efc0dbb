-- What searches and lists need of a crate is no part of its publish: that leaves a row, and the task
-- update_search does the rest.
-- floor: 0101

-- step: transaction
-- Crates whose versions have changed since they were last brought up to date.  A row for each change, of
-- no use to anybody but the task: nobody who publishes waits for the task or for another publish, and
-- whoever deletes a row has seen the change that left it.
CREATE TABLE crates_due (
	crate_id bigint NOT NULL,
	id       bigint GENERATED ALWAYS AS IDENTITY,
	due_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (crate_id, id)
);
CREATE INDEX crates_due_id ON crates_due (id);
CREATE FUNCTION crates_set_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO crates_due (crate_id) VALUES (NEW.id);
	RETURN NULL;
END
$$;
CREATE TRIGGER crates_due AFTER UPDATE OF index_body ON crates
	FOR EACH ROW EXECUTE FUNCTION crates_set_due();

-- Crates by parts of their names, and how many versions they list without being asked for.  More than
-- ten thousand packages are known from those that list many: few crates, whose indexes depend on
-- what changes once and not with each version.
CREATE TABLE crate_names (
	crate_id        bigint NOT NULL,
	project_id      bigint NOT NULL,
	listed_versions integer NOT NULL,
	lists_many      boolean NOT NULL GENERATED ALWAYS AS (listed_versions >= 20) STORED,
	normalized_name text NOT NULL,
	PRIMARY KEY (crate_id) INCLUDE (normalized_name),
	FOREIGN KEY (crate_id, project_id) REFERENCES crates (id, project_id) ON DELETE CASCADE
) WITH (fillfactor = 80);

-- The version that stands for its crate: the highest that is neither yanked nor a pre-release, else the
-- highest that is not yanked, else the highest.
CREATE FUNCTION crate_shown(crate bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT v.id FROM versions v
	 WHERE v.crate_id = crate AND v.status IN ('default', 'deprecated')
	 ORDER BY v.yanked, strpos(v.version_base, '-') > 0,
	          string_to_array(split_part(v.version_base, '-', 1), '.')::numeric[] DESC,
	          CASE WHEN strpos(v.version_base, '-') > 0 THEN version_order(v.version_base) COLLATE "C" END DESC
	 LIMIT 1
$$;

-- A crate whose versions change meanwhile is due.
-- step: batches crates
WITH batch AS MATERIALIZED (
	SELECT id, project_id, normalized_name FROM crates WHERE id > $1 ORDER BY id LIMIT 1000
), named AS (
	INSERT INTO crate_names (crate_id, project_id, normalized_name, listed_versions)
	SELECT b.id, b.project_id, b.normalized_name,
	       (SELECT count(*) FROM versions v WHERE v.crate_id = b.id AND v.project_id = b.project_id
	           AND v.status IN ('default', 'deprecated', 'error'))
	  FROM batch b
	    ON CONFLICT (crate_id) DO NOTHING
)
SELECT max(id) FROM batch;

-- step: index crate_names_trigrams
CREATE INDEX CONCURRENTLY crate_names_trigrams ON crate_names USING gin (normalized_name gin_trgm_ops) WITH (fastupdate = off);

-- step: index crate_names_many
CREATE INDEX CONCURRENTLY crate_names_many ON crate_names USING gin (normalized_name gin_trgm_ops) WITH (fastupdate = off)
	WHERE lists_many;

-- step: index crate_names_short_parts
CREATE INDEX CONCURRENTLY crate_names_short_parts ON crate_names USING gin (crates_short_parts(normalized_name)) WITH (fastupdate = off);
