#ifndef STORE_BACKUP_BACKUP_LIST_H
#define STORE_BACKUP_BACKUP_LIST_H

/* The list of blobs of one backup, read line by line. */

#include <stdio.h>

#include "store/backup/backup_manifest.h"

struct backup_blob {
	char sha256[BACKUP_DIGEST_SIZE];
	int64_t size;
};

struct backup_list {
	FILE *file;
	const char *path;
};

/* The most bytes that the list of this backup can have. */
int64_t backup_list_max(const struct backup_manifest *);

/* Opens the list; the arena closes it.  -1: 404 the list is missing, 409 it is too long, 503, 500. */
int backup_list_open(struct arena *, const struct backup_target *, const struct backup_manifest *,
    struct backup_list *, struct err *) __attribute__((warn_unused_result));

/* The next blob.  1: there is one, 0: the end, -1: 409 the list is damaged, 500. */
int backup_list_next(struct backup_list *, struct backup_blob *, struct err *)
    __attribute__((warn_unused_result));

#endif
