-- name: version_status_set
-- $1 version, $2 status, $3 message or null; its crate is locked.  By primary key.
UPDATE versions SET status = $2, status_message = $3 WHERE id = $1;
