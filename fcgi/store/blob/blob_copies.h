#ifndef STORE_BLOB_BLOB_COPIES_H
#define STORE_BLOB_BLOB_COPIES_H

/* Counts and limits the copies of a node (blob_copy.h). */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/blob/blob_kind.h"

/* Was the directory of copies used as a store before?  Then nothing is removed from it. */
bool blob_copies_is_store(const struct blob_store *);

/*
 * Removes copies that were not used for keep_s seconds, and then the least recently used ones, until the
 * rest has 9/10 of `max` bytes.  Copies that were used in the last BLOB_COPY_KEEP_S seconds stay, because
 * nginx may be about to open them.  The last use is the later of a file's access and modification times:
 * with relatime it is right to within a day, and on a file system without access times it is the time of
 * the copy.  It does nothing to a directory that is a store.  -1: 500.
 */
int blob_copies_trim(const struct blob_store *, int64_t max, int64_t keep_s, int64_t *removed, struct err *)
    __attribute__((warn_unused_result));

/* Counts the copies and their bytes.  -1: 500. */
int blob_copies_count(const struct blob_store *, int64_t *files, int64_t *bytes, struct err *)
    __attribute__((warn_unused_result));

#endif
