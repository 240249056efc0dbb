-- name: version_lock_crate
-- $1 project, $2 version.  Its crate, whose row stays locked until the transaction ends, so that
-- nobody publishes, yanks or deletes there meanwhile.  Two look-ups by primary keys.
SELECT c.id, c.name, c.normalized_name, c.deleted_at IS NOT NULL AS is_empty
  FROM versions v JOIN crates c ON c.id = v.crate_id
 WHERE v.id = $2 AND c.project_id = $1
   FOR NO KEY UPDATE OF c;

-- name: version_lock
-- $1 version; its crate is locked.  A statement of its own, since one that waits for a lock does not
-- see what was committed meanwhile.  By primary key; locked, so that it is not destroyed meanwhile.
SELECT version, version_base, cksum, size, status, coalesce(status_message, '') AS message,
       status = 'pending_destruction' AS deleted
  FROM versions WHERE id = $1 FOR UPDATE;
