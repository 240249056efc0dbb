#ifndef STORE_BACKUP_BACKUP_TAKE_H
#define STORE_BACKUP_BACKUP_TAKE_H

/*
 * Takes a backup while the registry serves.
 *
 *	1.  It stops collections from removing blobs (backup_lock).
 *	2.  In one snapshot of the database it lists the blobs that versions need, and pg_dump writes the
 *	    dump.  A version was committed after its blob was in the store, so the store has all of them.
 *	3.  It copies the blobs that earlier backups at the target lack.  They stay in the store meanwhile
 *	    (1); what is published after the snapshot is the next backup's.
 *	4.  It writes the manifest, when all else is on the disk, and the lock (1) was there all the time.
 *
 * So each version that was acknowledged before the backup began is in it, with its bytes.  If the backup
 * ends before its manifest is written, earlier backups stay as they are, and the next one uses the blobs
 * that were copied.
 */

#include <stdint.h>

#include "store/backup/backup_manifest.h"
#include "store/blob/blob_kind.h"
#include "store/db/db.h"

struct backup_task {
	struct db *db;
	const char *conninfo; /* of a role that may read all tables and sequences */
	const struct blob_store *store;
	const struct backup_target *target; /* it makes a missing directory */
	int64_t keep; /* backups to keep: older ones are removed, but no blobs; 0: all */
	/* results */
	struct backup_manifest manifest;
	int64_t copied, copied_bytes; /* blobs that earlier backups lacked */
	int64_t removed; /* older backups */
};

/*
 * A blob that no place has is counted in manifest.blobs_missing, and is no error.  -1: 409 another backup
 * runs, the target has backups of another registry, or the dump is too large for it; 503, 500.
 */
int backup_take(struct arena *, struct backup_task *, struct err *) __attribute__((warn_unused_result));

#endif
