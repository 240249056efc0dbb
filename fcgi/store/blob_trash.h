#ifndef STORE_BLOB_TRASH_H
#define STORE_BLOB_TRASH_H

/*
 * STORE/trash/<sha256>: blobs that were collected, on the same file system, until they have lain there
 * for as long as unused blobs are kept.  Their time says since when.  A blob that a version needs is
 * put back, never removed: by `berth fsck --repair`, and by whoever empties the trash.  A publish of equal bytes
 * brings its own, and needs none.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

/* Moves the blob into the trash; nothing happens where there is none.  -1: 500, 503. */
int blob_trash_put(struct arena *, const char *store, const char *sha256, struct err *)
    __attribute__((warn_unused_result));

/*
 * Puts the blob back to where it belongs, if it is in the trash, of that size (-1: of any) and with
 * the right bytes.  *restored: whether it was.  A file that is in its place already stays.
 */
int blob_trash_restore(struct arena *, const char *store, const char *sha256, int64_t size,
    bool *restored, struct err *) __attribute__((warn_unused_result));

/* Is it in the trash? */
bool blob_trash_has(struct arena *, const char *store, const char *sha256);

struct blob_trash_emptied {
	int64_t removed, restored;
};

/*
 * Removes what has lain in the trash for `keep` seconds, up to 1000 files; *more: there may be more.
 * What a version needs and the store lacks is put back.
 */
int blob_trash_empty(struct db *, struct arena *, const char *store, int64_t keep,
    struct blob_trash_emptied *, bool *more, struct err *) __attribute__((warn_unused_result));

/* Files in the trash. */
int64_t blob_trash_count(struct arena *, const char *store);

#endif
