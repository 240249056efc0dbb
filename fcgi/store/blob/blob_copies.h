#ifndef STORE_BLOB_BLOB_COPIES_H
#define STORE_BLOB_BLOB_COPIES_H

/* All copies of a node (blob_copy.h): how much they have, and which go first. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/blob/blob_kind.h"

enum { BLOB_COPY_KEEP_S = 60 };

/* Is the directory of copies a store that was used as such?  Then nothing is removed from it. */
bool blob_copies_is_store(const struct blob_store *);

/*
 * Removes copies that were not used for keep_s seconds, and then those whose last use is the longest ago,
 * until all of them have 9/10 of `max` bytes.  Copies of the last BLOB_COPY_KEEP_S seconds stay: nginx may
 * be about to open them. The last use is the later of a file's times, so it is right to the day where nginx
 * sends it (relatime), and the time of the copy on a file system without times of access.  Does nothing to
 * a directory that is a store.  -1: 500.
 */
int blob_copies_trim(const struct blob_store *, int64_t max, int64_t keep_s, int64_t *removed, struct err *)
    __attribute__((warn_unused_result));

/* How much they have. */
int blob_copies_count(const struct blob_store *, int64_t *files, int64_t *bytes, struct err *)
    __attribute__((warn_unused_result));

#endif
