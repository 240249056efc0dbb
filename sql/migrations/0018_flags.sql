-- What is switched on, off, or on for some projects only.  Without a row a flag is as the program
-- has it.  A row of a project comes before the one for all.

CREATE TABLE feature_flags (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name       text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,63}$'),
	project_id bigint REFERENCES projects (id) ON DELETE CASCADE, -- NULL: for all
	percentage integer NOT NULL CHECK (percentage BETWEEN 0 AND 100), -- of projects; 0: off
	changed_at timestamptz NOT NULL DEFAULT now(),
	CHECK (project_id IS NULL OR percentage IN (0, 100))
);
CREATE UNIQUE INDEX feature_flags_all ON feature_flags (name) WHERE project_id IS NULL;
CREATE UNIQUE INDEX feature_flags_project ON feature_flags (project_id, name) WHERE project_id IS NOT NULL;

-- What is switched off is so for whom a worker remembers, too; and here a row more can take away.
CREATE CONSTRAINT TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE ON feature_flags
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
