-- floor: 0122
-- Blobs whose bytes did not have the SHA-256 of their name when a check read them.  Each later check reads
-- them again.  A row goes when a check finds the blob sound or restores it, or when the row in blobs goes.

CREATE TABLE damaged_blobs (
	sha256   text PRIMARY KEY REFERENCES blobs ON DELETE CASCADE,
	found_at timestamptz NOT NULL DEFAULT now()
);
