-- A publish adds its line to the stored index file, and renders no other.

-- The version whose line is the last of the index file; null: not known, so that the file is rendered anew.
ALTER TABLE crates ADD COLUMN index_last bigint;

-- The ETag is made of index_time and the file's length.
ALTER TABLE crates DROP COLUMN index_etag;
