#ifndef STORE_BACKUP_BACKUP_VERIFY_H
#define STORE_BACKUP_BACKUP_VERIFY_H

/* Reads a backup again: every byte of dump, list and blobs. */

#include <stdint.h>

#include "store/backup/backup_manifest.h"

struct backup_check {
	const char *dir;
	const char *name; /* NULL: the newest */
	/* called for each blob that is missing or has other bytes; `wrong` says which */
	void (*say)(void *arg, const char *sha256, const char *wrong);
	void *arg;
	/* results */
	struct backup_manifest manifest;
	int64_t blobs, bytes; /* that are good */
	int64_t bad;
};

/*
 * A blob that the backup lacked already when it was taken is told, and does not count as bad.  -1: 404
 * there is no backup, or a file of it is missing; 409 dump, list or manifest is damaged; 500.
 */
int backup_verify(struct arena *, struct backup_check *, struct err *) __attribute__((warn_unused_result));

/* Dump and list alone. */
int backup_verify_files(struct arena *, const char *dir, const struct backup_manifest *, struct err *)
    __attribute__((warn_unused_result));

#endif
