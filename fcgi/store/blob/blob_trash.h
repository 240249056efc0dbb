#ifndef STORE_BLOB_BLOB_TRASH_H
#define STORE_BLOB_BLOB_TRASH_H

/*
 * trash/<sha256> of the store holds collected blobs for as long as unused blobs are
 * kept.  The modification time of a file is the time of its collection.  A blob that a version needs
 * goes back to its place: by `berth fsck --repair`, and when the trash is emptied.  A publish of equal
 * bytes brings its own bytes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/blob/blob_kind.h"
#include "store/db/db.h"

/*
 * Puts the blob back into its place, if the trash has it with that size (-1: any) and the right
 * bytes.  *restored: whether it did.  A file in that place stays.
 */
int blob_trash_restore(struct arena *, const struct blob_store *, const char *sha256, int64_t size,
    bool *restored, struct err *) __attribute__((warn_unused_result));

/* Does the trash have the blob? */
bool blob_trash_has(struct arena *, const struct blob_store *, const char *sha256);

struct blob_trash_emptied {
	int64_t removed, restored;
};

/*
 * Removes files that have been in the trash for `keep` seconds, up to 1000; *more: others may remain.
 * Puts a blob back that a version needs and the store lacks.
 */
int blob_trash_empty(struct db *, struct arena *, const struct blob_store *, int64_t keep,
    struct blob_trash_emptied *, bool *more, struct err *) __attribute__((warn_unused_result));

/* The number of files in the trash.  -1: 500, 503. */
int blob_trash_count(const struct blob_store *, int64_t *, struct err *) __attribute__((warn_unused_result));

#endif
