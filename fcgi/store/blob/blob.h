#ifndef STORE_BLOB_BLOB_H
#define STORE_BLOB_BLOB_H

/*
 * The blob store (blob_kind.h): crate bytes under the names ab/cd/<sha256>, written once (blob_stage.h) and
 * never changed.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "store/blob/blob_kind.h"

enum {
	BLOB_HEX_SIZE = 65,
	BLOB_PATH_SIZE = 6 + BLOB_HEX_SIZE, /* "ab/cd/" and the digits */
	BLOB_STAGING_NAME_SIZE = 33,
	STORE_NODE_FILE_BYTES = 16, /* in hexadecimal digits, the name of a node's file */
	BLOB_COPY_KEEP_S = 60 /* after its last use: nginx may be about to open a file that it was given */
};

/*
 * Flags to open a file that should be a blob but may be anything: they follow no link and wait for no pipe
 * (<fcntl.h>).
 */
#define BLOB_OPEN (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

/* The most bytes of a blob: a crate cannot be larger (max_crate_size of berth.conf). */
#define BLOB_SIZE_MAX ((int64_t)UINT32_MAX)

/* Directories of STORE: files that are being written, collected blobs, a file for each node. */
#define BLOB_STAGING "staging"
#define BLOB_TRASH   "trash"
#define STORE_NODES  "nodes"

/* The end of a name in staging by which nginx gets a file that becomes a copy (blob_copy.h). */
#define BLOB_SENT ".sent"

/* The file with the id of the store's registry (store_identity.h). */
#define STORE_ID_FILE "registry-id"

/* A file in the store while a restore is not complete; it has the name of the backup. */
#define STORE_RESTORE_FILE "restore-of"

/* "ab/cd/<sha256>": the name of a blob in the store, and the path of its file below a directory. */
char *blob_path(struct arena *, const char *sha256);
void blob_path_write(const char *sha256, char out[BLOB_PATH_SIZE]);

/* "trash/<sha256>" */
const char *blob_trash_path(struct arena *, const char *sha256);

/* Does the store have the blob, with the SHA-256 of its name?  Reads all of it. */
bool blob_is_sound(struct arena *, const struct blob_store *, const char *sha256);

/* The same for the file at `path` below the directory `at`. */
bool blob_is_sound_at(int at, const char *path, const char *sha256);

/* Reads the file from its position.  *same: it has this SHA-256.  -1: it cannot be read. */
int blob_hash_file(int fd, const char *sha256, bool *same) __attribute__((warn_unused_result));

/* Makes a new name for a file in STORE/staging, of the form that blob_sweep_staging() removes.  -1: 500. */
int blob_staging_name(char name[BLOB_STAGING_NAME_SIZE], struct err *)
    __attribute__((warn_unused_result));

/*
 * Removes staging files of the directory that are older than `age` seconds.  For names that end in BLOB_SENT
 * the limit is at most BLOB_COPY_KEEP_S; for those of whole blobs, which a restore, a copy or a repair of the
 * store has left there (store/backup/backup_copy.h), at least a day.  Returns how many, or -1.
 */
int blob_sweep_staging(const char *dir, int64_t age, struct err *)
    __attribute__((warn_unused_result));

#endif
