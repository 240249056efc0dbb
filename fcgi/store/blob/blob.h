#ifndef STORE_BLOB_BLOB_H
#define STORE_BLOB_BLOB_H

/*
 * The blob store: crate bytes in files STORE/ab/cd/<sha256>, written once (blob_stage.h) and
 * never changed.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	BLOB_HEX_SIZE = 65,
	BLOB_PATH_SIZE = 6 + BLOB_HEX_SIZE, /* "ab/cd/" and the digits */
	BLOB_STAGING_NAME_SIZE = 33
};

/*
 * How a file is opened that should be a blob, and may be anything: no link is followed, and no pipe is
 * waited for (<fcntl.h>).
 */
#define BLOB_OPEN (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

/* Directories of STORE: files that are being written, collected blobs, a file for each node. */
#define BLOB_STAGING "staging"
#define BLOB_TRASH   "trash"
#define STORE_NODES  "nodes"

/* "ab/cd/<sha256>": the path of a blob below STORE. */
char *blob_path(struct arena *, const char *sha256);
void blob_path_write(const char *sha256, char out[BLOB_PATH_SIZE]);

/* Does the blob's file exist? */
bool blob_exists(struct arena *, const char *store, const char *sha256);

/* As blob_exists(), and has it the bytes that its name says?  Reads all of it. */
bool blob_is_sound(struct arena *, const char *store, const char *sha256);

/* The same of the file at `path` below the directory `at`. */
bool blob_is_sound_at(int at, const char *path, const char *sha256);

/* Reads the file from its position.  *same: it has this SHA-256.  -1: it cannot be read. */
int blob_hash_file(int fd, const char *sha256, bool *same) __attribute__((warn_unused_result));

/* Makes a new name for a file in STORE/staging, of the form that blob_sweep_staging() removes.  -1: 500. */
int blob_staging_name(char name[BLOB_STAGING_NAME_SIZE], struct err *)
    __attribute__((warn_unused_result));

/* Removes staging files older than `age` seconds; returns how many, or -1. */
int blob_sweep_staging(const char *store, int64_t age, struct err *)
    __attribute__((warn_unused_result));

#endif
