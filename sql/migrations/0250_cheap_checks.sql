-- Checks of names and checksums that take a fraction of the time: a pattern with a bound, such as {64}, costs
-- more than the rest of a row.
-- floor: 0241

-- step: transaction
ALTER TABLE blobs ADD CONSTRAINT blobs_sha256_cheap
	CHECK (sha256 ~ '^[0-9a-f]*$' AND octet_length(sha256) = 64) NOT VALID;

-- step: transaction
ALTER TABLE blobs VALIDATE CONSTRAINT blobs_sha256_cheap;

-- step: transaction
ALTER TABLE blobs DROP CONSTRAINT blobs_sha256_check;
ALTER TABLE blobs RENAME CONSTRAINT blobs_sha256_cheap TO blobs_sha256_check;

-- step: transaction
ALTER TABLE crates ADD CONSTRAINT crates_name_cheap
	CHECK (name ~ '^[A-Za-z][A-Za-z0-9_-]*$' AND octet_length(name) <= 64) NOT VALID;

-- step: transaction
ALTER TABLE crates VALIDATE CONSTRAINT crates_name_cheap;

-- step: transaction
ALTER TABLE crates DROP CONSTRAINT crates_name_check;
ALTER TABLE crates RENAME CONSTRAINT crates_name_cheap TO crates_name_check;
