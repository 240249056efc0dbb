-- What a later build may add: a table, and a column that may be empty.  Programs before it know of
-- neither, and go on.
-- floor: 0056

CREATE TABLE crate_notes (
	crate_id bigint PRIMARY KEY REFERENCES crates (id) ON DELETE CASCADE,
	note     text NOT NULL
);
ALTER TABLE crates ADD COLUMN noted_at timestamptz;
