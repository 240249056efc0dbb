#ifndef STORE_BLOB_BLOB_STAGE_H
#define STORE_BLOB_BLOB_STAGE_H

/*
 * How a blob comes in: as a staging file in the store's directory.  It is hashed while written and gets its
 * name by a hard link; bytes and directories are fsynced before the name counts.  To an object store it is
 * uploaded, once, and then the file stays as this node's copy.
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

/* Appends.  -1: as blob_stage. */
int blob_stage_write(struct blob_staging *, struct slice, struct err *)
    __attribute__((warn_unused_result));

/* Ends the hash; after it nothing can be written.  Returns the 64 hexadecimal digits. */
const char *blob_stage_sha256(struct blob_staging *);
uint64_t blob_stage_size(const struct blob_staging *);

/* A descriptor that reads the staged bytes from the start; its owner is the staging. */
int blob_stage_fd(struct blob_staging *, struct err *) __attribute__((warn_unused_result));

/*
 * Begins, in a thread, with what nobody sees: the bytes go to the disk itself, and so do the directories that
 * the blob will be in.  Ends the hash.  The caller can inspect the bytes meanwhile, and need not call
 * blob_stage_keep().
 */
void blob_stage_prepare(struct blob_staging *);

/*
 * Makes the staged bytes a blob that survives a crash: a hard link, fsync of the bytes and of
 * the directories.  A blob with the same bytes is already there: that one
 * stays, its time is renewed, so that the collector leaves it alone.
 * The thread of blob_stage_prepare(), or a new one, does it, so that the caller can wait for the database
 * meanwhile.
 */
void blob_stage_keep(struct blob_staging *);

/*
 * Waits for that; *us, unless NULL: how long it took.  Can be called again, with the same result.  -1: as
 * blob_stage.
 */
int blob_stage_kept(struct blob_staging *, int64_t *us, struct err *) __attribute__((warn_unused_result));

/*
 * After blob_stage_kept(), inside the transaction that has recorded the blob, which keeps the collector off
 * it from then on: the file is there still, or, where it was taken away since it was kept, again.  -1: as
 * blob_stage.
 */
int blob_stage_confirm(struct blob_staging *, struct err *) __attribute__((warn_unused_result));

#endif
