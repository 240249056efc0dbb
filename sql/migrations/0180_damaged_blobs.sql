-- floor: 0122
-- Blobs that a check has read, and found with other bytes than their names say: until one reads them again and
-- finds them good, restores them, or their rows go.  Checks that do not read all blobs read these.

CREATE TABLE damaged_blobs (
	sha256   text PRIMARY KEY REFERENCES blobs ON DELETE CASCADE,
	found_at timestamptz NOT NULL DEFAULT now()
);
