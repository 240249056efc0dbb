#ifndef STORE_PACKAGE_FSCK_SOURCE_H
#define STORE_PACKAGE_FSCK_SOURCE_H

/*
 * A source of blobs that the store lacks or has with wrong bytes: a directory or bucket of backups, another
 * store, a directory of files that are named by their SHA-256 or that end in .crate, or one file.
 */

#include <stdbool.h>

#include "store/package/fsck_problem.h"

/*
 * Copies the blob into the store if f->from has its bytes (*found); fsck_source_end() moves it to its
 * place.  -1: 503, 500.
 */
int fsck_source_bring(struct fsck *, struct arena *, const char *sha256, int64_t size, bool *found,
    struct err *) __attribute__((warn_unused_result));

/* Moves all copied blobs to their places.  -1: 503, 500. */
int fsck_source_end(struct fsck *, struct arena *, struct err *) __attribute__((warn_unused_result));

#endif
