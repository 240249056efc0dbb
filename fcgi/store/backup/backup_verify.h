#ifndef STORE_BACKUP_BACKUP_VERIFY_H
#define STORE_BACKUP_BACKUP_VERIFY_H

/* Reads a backup again: every byte of dump, list and blobs. */

#include <stdint.h>

#include "store/backup/backup_manifest.h"

struct backup_check {
	const struct backup_target *target;
	const char *name; /* NULL: the newest */
	/* called for each blob that is missing, has other bytes or cannot be read; `wrong` says which and why */
	void (*say)(void *arg, const char *wrong);
	void *arg;
	/* results */
	struct backup_manifest manifest;
	int64_t blobs, bytes; /* that are good */
	int64_t bad, damaged; /* damaged: of the bad ones, those that are not missing */
};

/*
 * A blob that was already missing when the backup was taken is reported, but does not count as bad.  -1:
 * 404 there is no backup, or one of its files is missing; 409 dump, list or manifest is damaged; 503, 500.
 */
int backup_verify(struct arena *, struct backup_check *, struct err *) __attribute__((warn_unused_result));

/* Checks only dump and list.  -1: as above. */
int backup_verify_files(struct arena *, const struct backup_target *, const struct backup_manifest *,
    struct err *) __attribute__((warn_unused_result));

#endif
