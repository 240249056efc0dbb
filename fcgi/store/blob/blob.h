#ifndef STORE_BLOB_BLOB_H
#define STORE_BLOB_BLOB_H

/*
 * The blob store: crate bytes in files STORE/ab/cd/<sha256>, written once and
 * never changed.  A blob comes in as a staging file on the same file system,
 * is hashed while written, fsynced, and gets its name by a hard link; the directory is
 * fsynced before the name counts.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum { BLOB_HEX_SIZE = 65, BLOB_STAGING_NAME_SIZE = 33 };

/* Directories of STORE: files that are being written, collected blobs, a file for each node. */
#define BLOB_STAGING "staging"
#define BLOB_TRASH   "trash"
#define STORE_NODES  "nodes"

struct blob_staging;

/*
 * Makes STORE and its staging, trash and nodes where they are missing.  Checks that they are writable
 * and on one file system.
 */
int blob_store_check(const char *store, struct err *) __attribute__((warn_unused_result));

/* Changes nothing: is STORE writable, or can it be made, as blob_store_check() does?  -1: 500. */
int blob_store_test(const char *store, struct err *) __attribute__((warn_unused_result));

/*
 * Can blobs be read, and, if asked, written?  Then a staging file is made, written to and
 * removed with the arena.  -1: as blob_stage.
 */
int blob_store_probe(struct arena *, const char *store, bool write, struct err *)
    __attribute__((warn_unused_result));

/* Bytes that the store's file system has left for us.  -1: 500, as where there is no store. */
int blob_store_free(const char *store, int64_t *bytes, struct err *)
    __attribute__((warn_unused_result));

/*
 * A new staging file.  It is removed when the arena is reset; the blob stays, if it was
 * kept.  -1: 503 for a full or read-only disk ("detail" says which), else 500.
 */
int blob_stage(struct arena *, const char *store, struct blob_staging **, struct err *)
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
 * Makes the staged bytes a blob that survives a crash: fsync, a hard link, fsync of
 * the directories.  A blob with the same bytes is already there: that one
 * stays, its time is renewed, so that the collector leaves it alone.
 * It begins in a thread, so that the caller can wait for the database meanwhile.
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

/* "ab/cd/<sha256>": the path of a blob below STORE. */
char *blob_path(struct arena *, const char *sha256);

/* Does the blob's file exist? */
bool blob_exists(struct arena *, const char *store, const char *sha256);

/* As blob_exists(), and has it the bytes that its name says?  Reads all of it. */
bool blob_is_sound(struct arena *, const char *store, const char *sha256);

/* Reads the file from its position.  *same: it has this SHA-256.  -1: it cannot be read. */
int blob_hash_file(int fd, const char *sha256, bool *same) __attribute__((warn_unused_result));

/* Makes a new name for a file in STORE/staging, of the form that blob_sweep_staging() removes.  -1: 500. */
int blob_staging_name(char name[BLOB_STAGING_NAME_SIZE], struct err *)
    __attribute__((warn_unused_result));

/* Removes staging files older than `age` seconds; returns how many, or -1. */
int blob_sweep_staging(const char *store, int64_t age, struct err *)
    __attribute__((warn_unused_result));

#endif
