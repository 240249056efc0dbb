#ifndef STORE_BLOB_BLOB_DIR_H
#define STORE_BLOB_BLOB_DIR_H

/*
 * Directories of the blob store.  Paths are relative to the directory `at`.  Errors name the path: 503 for a
 * full or read-only disk, else 500.
 */

#include <sys/stat.h>

#include "base/err.h"

/* -1: an operation on the store has failed, by errno; `what` names it. */
int blob_error(struct err *, const char *what);

/* Closes *fd, unless it is -1, which it is then. */
void blob_fd_close(int *fd);

/* Makes the directory, unless it is there. */
int blob_dir_make(int at, const char *path, struct err *) __attribute__((warn_unused_result));

/*
 * The same, with the mode of `like`, whatever the umask, and, for root, its owner.  A link is refused: root
 * must not be led elsewhere by whoever owns the store.
 */
int blob_dir_make_like(const char *path, const struct stat *like, struct err *)
    __attribute__((warn_unused_result));

/* The caller owns *fd. */
int blob_dir_open(int at, const char *path, int *fd, struct err *) __attribute__((warn_unused_result));

/* fsync: after it, the names in the directory survive a crash. */
int blob_dir_sync(int at, const char *path, struct err *) __attribute__((warn_unused_result));

#endif
