-- name: version_status_find
-- $1 version; its crate is locked.  A statement of its own, since one that waits for a lock does not
-- see what was committed meanwhile.  By primary key.
SELECT version, status, coalesce(status_message, '') AS message
  FROM versions WHERE id = $1 AND status <> 'pending_destruction';

-- name: version_status_set
-- $1 version, $2 status, $3 message or null; its crate is locked.  By primary key.
UPDATE versions SET status = $2, status_message = $3 WHERE id = $1;
