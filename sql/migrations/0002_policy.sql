-- What a project has of its own in place of the configuration: keys and values of berth.conf(5),
-- the values as text, as `berth project set` has checked them.  A key that is not there is the
-- configuration's.  Only a publish reads it.

ALTER TABLE projects ADD COLUMN policy jsonb NOT NULL DEFAULT '{}'
	CHECK (jsonb_typeof(policy) = 'object');
