-- floor: 0056
-- Which registry this database is.  Its store carries the same id in a file (fcgi/store/store_identity.h),
-- so that no program works on a store that belongs to another database.

CREATE TABLE registry (
	one        boolean PRIMARY KEY DEFAULT true CHECK (one), -- there is one row
	id         uuid NOT NULL DEFAULT gen_random_uuid(),
	created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO registry DEFAULT VALUES;

-- What the database remembers of its store.  `mark` is in the store as well and changes with each
-- collection: a database whose mark is another is an older copy (fcgi/store/store_mark.h).
CREATE TABLE store_state (
	one          boolean PRIMARY KEY DEFAULT true CHECK (one), -- there is one row
	adopted_at   timestamptz, -- since when the store has our id; NULL: not yet
	mark         uuid,        -- NULL: nothing was ever collected
	next_mark    uuid,        -- is about to become the mark
	moved_at     timestamptz, -- when the mark was made
	-- A collection that would take too much waits for an administrator.
	held_at      timestamptz,
	held_files   bigint,      -- so many would go
	held_of      bigint,      -- of so many
	confirmed_at timestamptz,
	confirmed    bigint       -- so many may go, once
);
INSERT INTO store_state DEFAULT VALUES;
