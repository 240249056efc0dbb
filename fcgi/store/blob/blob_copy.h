#ifndef STORE_BLOB_BLOB_COPY_H
#define STORE_BLOB_BLOB_COPY_H

/*
 * A node's copies of blobs, where the store is an object store: files DIR/ab/cd/<sha256> that nginx sends.
 * A copy has its name only when its bytes have that SHA-256 and are on the disk; so what has a name is
 * whole, after whatever crash.  Workers that lack the same blob bring it once: they lock the file in
 * DIR/staging that it comes into.  A copy is named by its bytes, so none is ever stale, and any may be
 * removed at any time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/blob/blob_kind.h"

/* Is there a copy?  It counts as used now.  False where the store is a directory. */
bool blob_has_copy(const struct blob_store *, struct arena *, const char *sha256);

/*
 * The file is in DIR: it was, or it comes from the store.  until_us: as long as it waits for another
 * process that brings it.  1: there; 0: the store lacks it; -1: 503, the store is away, has other bytes or
 * the disk is full.
 */
int blob_bring(const struct blob_store *, struct arena *, const char *sha256, int64_t until_us, struct err *)
    __attribute__((warn_unused_result));

#endif
