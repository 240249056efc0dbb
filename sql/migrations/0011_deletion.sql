-- Versions that were deleted.  At first only their status changes, so that a deletion can be taken
-- back; later the row is destroyed.  What is never forgotten is which bytes a version had.

ALTER TABLE versions
	ADD COLUMN deleted_at    timestamptz,
	ADD COLUMN status_before text,     -- what an undelete goes back to
	ADD CONSTRAINT versions_deleted CHECK ((status = 'pending_destruction')
		= (num_nonnulls(deleted_at, status_before) = 2));
-- For the job that destroys them.
CREATE INDEX versions_deleted_at ON versions (deleted_at, id) WHERE deleted_at IS NOT NULL;

-- When the crate's last version was deleted; the crate's row, and with it its name, stays.
ALTER TABLE crates ADD COLUMN deleted_at timestamptz;

-- A lock file may know the version: nobody may ever get other bytes under its name.
CREATE TABLE tombstones (
	crate_id     bigint NOT NULL REFERENCES crates (id),
	version_base text NOT NULL,
	cksum        text NOT NULL CHECK (cksum ~ '^[0-9a-f]{64}$'),
	created_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (crate_id, version_base)
);
