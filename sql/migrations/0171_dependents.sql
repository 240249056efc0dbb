-- Finds the crates that depend on a crate, however many there are: each dependent crate once, without reading
-- all its versions, or crates that depend on another crate of the same name.
-- floor: 0122

-- The crate and the project of the version, which never change.  Programs from before this migration leave
-- the columns out, and the trigger fills them in; those programs find dependents by dependencies_reverse.
-- step: transaction
ALTER TABLE dependencies ADD COLUMN crate_id bigint, ADD COLUMN project_id bigint;
CREATE FUNCTION dependencies_set_crate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	SELECT v.crate_id, v.project_id INTO NEW.crate_id, NEW.project_id FROM versions v WHERE v.id = NEW.version_id;
	RETURN NEW;
END
$$;
CREATE TRIGGER dependencies_crate BEFORE INSERT ON dependencies
	FOR EACH ROW WHEN (NEW.crate_id IS NULL OR NEW.project_id IS NULL) EXECUTE FUNCTION dependencies_set_crate();

-- step: batches dependencies
WITH batch AS MATERIALIZED (
	SELECT id FROM dependencies WHERE id > $1 ORDER BY id LIMIT 1000
), filled AS (
	UPDATE dependencies d SET crate_id = v.crate_id, project_id = v.project_id
	  FROM batch b, versions v
	 WHERE d.id = b.id AND v.id = d.version_id AND d.crate_id IS NULL
)
SELECT max(id) FROM batch;

-- With this valid constraint PostgreSQL sets NOT NULL without reading all rows.
-- step: transaction
ALTER TABLE dependencies ADD CONSTRAINT dependencies_crate
	CHECK (crate_id IS NOT NULL AND project_id IS NOT NULL) NOT VALID;

-- step: transaction
ALTER TABLE dependencies VALIDATE CONSTRAINT dependencies_crate;

-- step: transaction
ALTER TABLE dependencies ALTER COLUMN crate_id SET NOT NULL, ALTER COLUMN project_id SET NOT NULL;
ALTER TABLE dependencies DROP CONSTRAINT dependencies_crate;

-- For dependents in the same project.
-- step: index dependencies_inside
CREATE INDEX CONCURRENTLY dependencies_inside
	ON dependencies (project_id, normalized_name, crate_id, version_id DESC, kind DESC) WHERE registry IS NULL;

-- For dependents in other projects, which name the registry.  Most dependencies are on crates of the public
-- registry; the index leaves them out.
-- step: index dependencies_across
CREATE INDEX CONCURRENTLY dependencies_across
	ON dependencies (registry, normalized_name, project_id, crate_id, version_id DESC, kind DESC)
	WHERE registry <> 'https://github.com/rust-lang/crates.io-index';
