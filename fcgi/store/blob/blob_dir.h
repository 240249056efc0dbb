#ifndef STORE_BLOB_BLOB_DIR_H
#define STORE_BLOB_BLOB_DIR_H

/*
 * Directories of the blob store.  Paths are relative to the directory `at`.  Errors name the path: 503 for a
 * full or read-only disk, else 500.
 */

#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"

/* Sets err by errno after an operation on the store has failed; `what` names the operation.  Returns -1. */
int blob_error(struct err *, const char *what);

/* Closes *fd, unless it is -1, and sets it to -1. */
void blob_fd_close(int *fd);

/* Makes the directory, unless it exists. */
int blob_dir_make(int at, const char *path, struct err *) __attribute__((warn_unused_result));

/*
 * The same, with the mode of `like`, whatever the umask, and, for root, its owner.  A link is refused,
 * because the owner of the store must not be able to lead root elsewhere.
 */
int blob_dir_make_like(const char *path, const struct stat *like, struct err *)
    __attribute__((warn_unused_result));

/* The caller owns *fd. */
int blob_dir_open(int at, const char *path, int *fd, struct err *) __attribute__((warn_unused_result));

/*
 * Makes a file without a name in that directory, to write and to read.  Returns its descriptor; the file goes
 * when the caller closes it.
 */
int blob_dir_unnamed(struct arena *, const char *path, struct err *) __attribute__((warn_unused_result));

/* fsync: after it, the names in the directory survive a crash. */
int blob_dir_sync(int at, const char *path, struct err *) __attribute__((warn_unused_result));

#endif
