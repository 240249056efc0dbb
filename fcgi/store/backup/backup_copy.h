#ifndef STORE_BACKUP_BACKUP_COPY_H
#define STORE_BACKUP_BACKUP_COPY_H

/*
 * Copies blobs from a store into a directory of backups, and back, or to another store.  A blob is hashed
 * while it is copied.  In a directory it gets its name when it is on the disk itself: one sync of the file
 * system for many blobs, since one for each would take longer than the copy.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/blob/blob_kind.h"

struct backup_copy;

/*
 * Copies to ROOT/ab/cd/<sha256>, by way of the directory `incoming` on the same file system.  like: files and
 * directories get the owner, and the mode for reading and writing, of this directory, without the bits of
 * `mask`.  -1: 503, 500.
 */
int backup_copy_new(struct arena *, const char *root, const char *incoming, const char *like, mode_t mask,
    struct backup_copy **, struct err *) __attribute__((warn_unused_result));

/* Copies into a store of either kind, which must live as long as the arena.  -1: 503, 500. */
int backup_copy_to_store(struct arena *, const struct blob_store *, struct backup_copy **, struct err *)
    __attribute__((warn_unused_result));

/* Makes one more directory with the same owner and mode, unless it exists. */
int backup_copy_dir(const struct backup_copy *, const char *path, struct err *)
    __attribute__((warn_unused_result));

/*
 * Copies the file at `from`.  *good: the file existed and had this size and digest; false: nothing is
 * copied.  -1: as above.
 */
int backup_copy_add(struct arena *, struct backup_copy *, const char *from, const char *sha256,
    int64_t size, bool *good, struct err *) __attribute__((warn_unused_result));

/* The same for a blob of a store, by its name there. */
int backup_copy_add_from(struct arena *, struct backup_copy *, const struct blob_store *, const char *key,
    const char *sha256, int64_t size, bool *good, struct err *) __attribute__((warn_unused_result));

/*
 * The same, unless the target has the blob with this size: then *good is true, too.  Ask in the order of
 * names: if the target is an object store, the function lists all blobs whose names have the same first
 * digits at once.
 */
int backup_copy_add_missing(struct arena *, struct backup_copy *, const struct blob_store *, const char *key,
    const char *sha256, int64_t size, bool *good, struct err *) __attribute__((warn_unused_result));

/* Moves all copied blobs to their places and syncs them to the disk.  -1: as above. */
int backup_copy_end(struct arena *, struct backup_copy *, struct err *) __attribute__((warn_unused_result));

/* The number and the bytes of the blobs copied so far. */
void backup_copy_count(const struct backup_copy *, int64_t *blobs, int64_t *bytes);

#endif
