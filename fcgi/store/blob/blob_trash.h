#ifndef STORE_BLOB_BLOB_TRASH_H
#define STORE_BLOB_BLOB_TRASH_H

/*
 * STORE/trash/<sha256> holds collected blobs, on the same file system, for as long as unused blobs are
 * kept.  The modification time of a file is the time of its collection.  A blob that a version needs
 * goes back to its place: by `berth fsck --repair`, and when the trash is emptied.  A publish of equal
 * bytes brings its own bytes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/db/db.h"

/* Moves the blob into the trash; a missing file is no error.  -1: 500, 503. */
int blob_trash_put(struct arena *, const char *store, const char *sha256, struct err *)
    __attribute__((warn_unused_result));

/*
 * Puts the blob back into its place, if the trash has it with that size (-1: any) and the right
 * bytes.  *restored: whether it did.  A file in that place stays.
 */
int blob_trash_restore(struct arena *, const char *store, const char *sha256, int64_t size,
    bool *restored, struct err *) __attribute__((warn_unused_result));

/* Does the trash have the blob? */
bool blob_trash_has(struct arena *, const char *store, const char *sha256);

struct blob_trash_emptied {
	int64_t removed, restored;
};

/*
 * Removes files that have been in the trash for `keep` seconds, up to 1000; *more: others may remain.
 * Puts a blob back that a version needs and the store lacks.
 */
int blob_trash_empty(struct db *, struct arena *, const char *store, int64_t keep,
    struct blob_trash_emptied *, bool *more, struct err *) __attribute__((warn_unused_result));

/* The number of files in the trash. */
int64_t blob_trash_count(struct arena *, const char *store);

#endif
