-- What a project lets go of by itself.  Without a row, and unless it is enabled, nothing.

CREATE TABLE retention_policies (
	project_id       bigint PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
	enabled          boolean NOT NULL DEFAULT false,
	keep_prereleases integer CHECK (keep_prereleases >= 0), -- of each crate, the newest; NULL: all
	unused_days      integer CHECK (unused_days > 0),       -- that long not downloaded; NULL: never
	keep_newest      integer NOT NULL DEFAULT 1 CHECK (keep_newest > 0),
	exclude          text[] NOT NULL DEFAULT '{}' -- patterns of names in normal form, `*`: anything
	                 CHECK (array_to_string(exclude, ',', '?') ~ '^[a-z0-9*,-]*$')
);
