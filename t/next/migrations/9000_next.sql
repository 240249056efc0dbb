-- What a later build may add: a table, and columns that may be empty.  Programs before it know of
-- none of them, and go on.
-- floor: 0056

-- The versions before the crates: not in the order in which a publish locks them, for the test of
-- that (t/230-migrate-traffic.t).
ALTER TABLE versions ADD COLUMN noted_at timestamptz;
ALTER TABLE crates ADD COLUMN noted_at timestamptz;
CREATE TABLE crate_notes (
	crate_id bigint PRIMARY KEY REFERENCES crates (id) ON DELETE CASCADE,
	note     text NOT NULL
);
