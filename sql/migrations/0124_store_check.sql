-- floor: 0122
-- What the last complete check of database, index and store has found, for monitoring.

CREATE TABLE store_check (
	one        boolean PRIMARY KEY DEFAULT true CHECK (one),
	checked_at timestamptz NOT NULL,
	problems   bigint NOT NULL
);
