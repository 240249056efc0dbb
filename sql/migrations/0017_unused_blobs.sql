-- Bytes to which no version refers any more stay for a while: for a backup of the store that began
-- after the one of the database, and for whoever takes a deletion back.

ALTER TABLE blobs ADD COLUMN unused_since timestamptz; -- NULL: a version refers to it, or may soon

-- Where a job was that had to stop in between; its arguments stay what they were.
ALTER TABLE jobs ADD COLUMN progress jsonb;
