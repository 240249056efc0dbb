#ifndef STORE_BLOB_BLOB_KIND_H
#define STORE_BLOB_BLOB_KIND_H

/*
 * A store, and what its kind can do.  There are two: a directory (blob_files.h), which is the same file
 * system on all nodes, and a bucket of an object store (blob_objects.h).  Both have the same names:
 * ab/cd/<sha256> and trash/<sha256> for blobs, and files of one line.
 *
 * nginx sends files, so each node has a directory: the store itself, or copies of the blobs that clients
 * asked for (blob_copy.h).  A publish stages its bytes there.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct blob_kind;
struct s3;

struct blob_store {
	const struct blob_kind *kind;
	const char *name; /* for people: the directory, or s3://bucket/prefix */
	const char *dir; /* the store itself, or this node's copies */
	struct s3 *s3; /* NULL: a directory */
	bool prepared; /* blob_store_prepare() has succeeded in this process */
};

struct blob_stat {
	int64_t size, modified; /* modified: seconds since 1970 */
	bool regular; /* false: no regular file, so not made by Berth */
};

/* A blob, by its name alone, or a node's file. */
struct blob_entry {
	const char *name;
	struct blob_stat st;
};

/* Called for each entry.  Returns 0 to go on, 1 to stop, -1 with err. */
typedef int blob_each(void *arg, const struct blob_entry *, struct err *);

/* Names (`key`) are relative to the store.  -1 is 500 or 503, and 503 where an object store is away. */
struct blob_kind {
	const char *dir_key; /* the key of berth.conf that names the directory */
	/*
	 * An object store: nodes have copies.  remember_us: how long a node trusts its last check of the
	 * registry's id.
	 */
	bool copies;
	int64_t remember_us;
	/* Makes missing directories, and checks that blobs can be written. */
	int (*check)(const struct blob_store *, struct err *);
	/* 1: the object exists, 0: it does not, -1: err. */
	int (*stat)(const struct blob_store *, struct arena *, const char *key, struct blob_stat *, struct err *);
	/*
	 * As stat; *fd reads its bytes from the first on, and is the caller's to close.  max: the most bytes that
	 * an object store may send; -1: also 409, the object is larger, or the store fails for it alone.
	 */
	int (*open)(const struct blob_store *, struct arena *, const char *key, int64_t max, int *fd, struct err *);
	/*
	 * Lists the entries of trash or nodes, or the blobs whose names begin with `under` ("ab", or "":
	 * all).
	 */
	int (*list)(const struct blob_store *, const char *under, blob_each *, void *arg, struct err *);
	/*
	 * Stores a blob, whose bytes must have this digest, unless the store has it with the right bytes.
	 * NULL: a staging file is linked (blob_stage.h), or files are copied (store/backup/backup_copy.h).
	 */
	int (*put)(const struct blob_store *, struct arena *, const char *sha256, int fd, int64_t size,
	    struct err *);
	/* Moves a blob to the trash, and back, where it replaces none; a missing blob is no error. */
	int (*trash)(const struct blob_store *, struct arena *, const char *sha256, struct err *);
	int (*untrash)(const struct blob_store *, struct arena *, const char *sha256, struct err *);
	/* Removes an object; a missing one is no error. */
	int (*remove)(const struct blob_store *, struct arena *, const char *key, struct err *);
	/* Read and write files of one line: store_file.h. */
	int (*read_line)(const struct blob_store *, const char *key, char *line, size_t size, struct err *);
	int (*write_line)(const struct blob_store *, const char *key, const char *line, bool replace, struct err *);
};

#endif
