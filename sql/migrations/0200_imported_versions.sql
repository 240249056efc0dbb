-- floor: 0162
-- When an import added the version, so that clients could download it here.  Its published_at is the time
-- that the source has.
ALTER TABLE versions ADD COLUMN imported_at timestamptz;
