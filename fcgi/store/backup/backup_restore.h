#ifndef STORE_BACKUP_BACKUP_RESTORE_H
#define STORE_BACKUP_BACKUP_RESTORE_H

/*
 * Restores a backup into an empty store and an empty database: first the blobs, then the dump, in one
 * transaction.  If the restore is interrupted, the next attempt continues in the store, which the first one
 * has marked; if the dump was complete, it refuses the database, which must be dropped first.
 */

#include <stdint.h>

#include "store/backup/backup_manifest.h"

struct backup_restore {
	const struct backup_target *target;
	const struct blob_store *store;
	const char *conninfo; /* of the role that shall own the tables */
	bool rights; /* restores the rights of roles, too; they must exist */
	struct backup_manifest manifest; /* as backup_manifest_read() gives it */
	/* results */
	int64_t blobs, bytes; /* copied */
	int64_t missing; /* blobs that the backup does not have, or with other bytes */
};

/*
 * Checks that store and database are empty and that the backup's schema fits this program.  -1: 409, with
 * what to do; 404, 503, 500.
 */
int backup_restore_check(struct arena *, struct backup_restore *, struct err *)
    __attribute__((warn_unused_result));

/* Fills the store and then the database.  -1: 409 the backup is damaged; 503, 500. */
int backup_restore_run(struct arena *, struct backup_restore *, struct err *)
    __attribute__((warn_unused_result));

/* Marks the restore as complete; call it after store and database were joined (store_adopt()).  -1: 500. */
int backup_restore_end(struct arena *, const struct backup_restore *, struct err *)
    __attribute__((warn_unused_result));

#endif
