-- name: version_lock_crate
-- $1 project, $2 version.  Locks the row of its crate until the transaction ends, so that nobody else
-- publishes, yanks or deletes versions of the crate.  Two look-ups by primary keys.
SELECT c.id, c.name, c.normalized_name, c.deleted_at IS NOT NULL AS is_empty
  FROM versions v JOIN crates c ON c.id = v.crate_id
 WHERE v.id = $2 AND c.project_id = $1
   FOR NO KEY UPDATE OF c;

-- name: version_lock
-- $1 version, whose crate is locked.  A separate statement, since a statement that waits for a lock does
-- not see what was committed during the wait.  By primary key; the row is locked, so that nobody destroys
-- it.
SELECT version, version_base, cksum, size, status, coalesce(status_message, '') AS message,
       status = 'pending_destruction' AS deleted
  FROM versions WHERE id = $1 FOR UPDATE;
