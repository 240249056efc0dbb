#ifndef STORE_BLOB_BLOB_COPY_H
#define STORE_BLOB_BLOB_COPY_H

/*
 * A node's copies of the blobs of an object store: files DIR/ab/cd/<sha256> that nginx sends.  A copy gets
 * its name only when its bytes have that SHA-256 and are on the disk, so a named copy is whole, even after
 * a crash.  Workers that need the same blob fetch it once: they lock the file in DIR/staging that receives
 * it.  The client for whom a worker fetches it gets that file, and does not wait for the disk.  The name is
 * the digest of the bytes, so no copy is ever stale, and you may remove any at any time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/blob/blob_kind.h"

/* Does the node have a copy?  The copy then counts as used now.  False if the store is a directory. */
bool blob_has_copy(const struct blob_store *, const char *sha256);

/*
 * Makes sure that DIR has the file, and fetches it from the store if it is missing.  max: the most bytes
 * that the store may send.  until_us of clock_us(): how long it waits for another process that fetches it.
 * 1: the file is there; 0: the store lacks the blob; -1: 503, the store is away or has other bytes, or the
 * disk is full.
 */
int blob_bring(const struct blob_store *, struct arena *, const char *sha256, int64_t max, int64_t until_us,
    struct err *) __attribute__((warn_unused_result));

/*
 * The same for a client that waits.  *path: the file below DIR, whose bytes have the right SHA-256.  One that
 * was fetched lies in DIR/staging, by a name of its own; when the arena is reset, it becomes a copy, and
 * blob_sweep_staging() removes the name in staging later, when nginx has opened it, but before the copy may
 * go: so a copy that goes frees its bytes.
 */
int blob_bring_early(const struct blob_store *, struct arena *, const char *sha256, int64_t max,
    int64_t until_us, const char **path, struct err *) __attribute__((warn_unused_result));

/* Has the disk of the copies so little room that the next one may take others away? */
bool blob_copy_disk_is_full(const struct blob_store *);

#endif
