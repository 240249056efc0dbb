#ifndef STORE_BLOB_BLOB_STAGE_H
#define STORE_BLOB_BLOB_STAGE_H

/*
 * Writes a new blob, first as a staging file in the store's directory.  It is hashed while it is written,
 * and gets its name by a hard link; bytes and directories are fsynced before the blob counts as stored.  If
 * the store is an object store, the file is uploaded once and stays as this node's copy.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "store/blob/blob_kind.h"

struct blob_staging;

/*
 * A new staging file.  It is removed when the arena is reset; the blob stays, if it was kept.  -1: 503 for
 * a full or read-only disk ("detail" says which) or an object store that is away, else 500.
 */
int blob_stage(struct arena *, const struct blob_store *, struct blob_staging **, struct err *)
    __attribute__((warn_unused_result));

/* Appends.  The disk begins with a large file meanwhile.  -1: as blob_stage. */
int blob_stage_write(struct blob_staging *, struct slice, struct err *)
    __attribute__((warn_unused_result));

/* Ends the hash; after it nothing can be written.  Returns the 64 hexadecimal digits. */
const char *blob_stage_sha256(struct blob_staging *);
uint64_t blob_stage_size(const struct blob_staging *);

/* A descriptor that reads the staged bytes from the start; its owner is the staging. */
int blob_stage_fd(struct blob_staging *, struct err *) __attribute__((warn_unused_result));

/*
 * Makes the staged bytes a blob that survives a crash: a hard link, fsync of the bytes and of the
 * directories.  If the store has a blob with the same bytes already, that blob stays; in a directory with a
 * new modification time, so that the collector leaves it alone.  You can call it again, which does nothing
 * and has the same result.  -1: as blob_stage.
 */
int blob_stage_keep(struct blob_staging *, struct err *) __attribute__((warn_unused_result));

/* How long that took, in microseconds; 0: it was never called. */
int64_t blob_stage_keep_us(const struct blob_staging *);

/*
 * Call it after blob_stage_keep(), inside the transaction that has recorded the blob; from then on the
 * collector leaves the blob alone.  Makes sure that the file is still there, and puts it back if it was
 * collected since.  -1: as blob_stage.
 */
int blob_stage_confirm(struct blob_staging *, struct err *) __attribute__((warn_unused_result));

#endif
