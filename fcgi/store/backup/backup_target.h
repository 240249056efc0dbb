#ifndef STORE_BACKUP_BACKUP_TARGET_H
#define STORE_BACKUP_BACKUP_TARGET_H

/*
 * Where backups are.  There are two kinds: a directory, and a bucket of an object store.  Both have the same
 * names (backup_manifest.h), so that any tool may copy the one to the other.
 *
 * What comes from a bucket or goes there is a file without a name on the way, in TMPDIR, or in /tmp.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/backup/backup_copy.h"
#include "store/blob/blob_kind.h"

struct backup_target_kind;
struct s3_conf;

struct backup_target {
	const struct backup_target_kind *kind;
	const char *name; /* for people: the directory, or s3://BUCKET/PREFIX */
	const struct blob_store *files; /* to open and to remove what lies at the target itself */
	const struct blob_store *blobs; /* what lies below `blobs` */
};

/* The directory of blobs, and, in a directory, that of blobs that are being copied. */
#define BACKUP_BLOBS    "blobs"
#define BACKUP_INCOMING "incoming"

/* 0: goes on, -1: err. */
typedef int backup_each(void *arg, const char *file, struct err *);

/* -1 is 500 or 503, unless it says more. */
struct backup_target_kind {
	/*
	 * Makes what is missing, keeps others out until *lock is closed (-1: nothing to close), and removes blobs
	 * that did not come to an end.  -1: also 409, another backup to this target runs.
	 */
	int (*begin)(const struct backup_target *, struct arena *, int *lock, struct err *);
	/* The files at the target itself, in no order, also those that were not kept.  -1: also 404. */
	int (*list)(const struct backup_target *, struct arena *, backup_each *, void *arg, struct err *);
	/* A new file, to write and to read; the caller closes *fd.  It has its name when it is kept. */
	int (*create)(const struct backup_target *, struct arena *, const char *file, int *fd, struct err *);
	/* Puts it in its place, on the disk, in one step.  -1: also 409, it is too large for the target. */
	int (*keep)(const struct backup_target *, struct arena *, const char *file, int fd, int64_t size,
	    const char *sha256, struct err *);
	/* In place of that. */
	void (*drop)(const struct backup_target *, struct arena *, const char *file);
	/* What copies blobs to the target. */
	int (*copier)(const struct backup_target *, struct arena *, struct backup_copy **, struct err *);
};

/* How a file is called that was not kept: with this at its end. */
#define BACKUP_NEW ".new"

/*
 * The target of that name: a directory, or s3://BUCKET[/PREFIX], which conf says how to reach.  Touches
 * nothing yet.  -1: 400, it is no such name.
 */
int backup_target_find(struct arena *, const char *name, const struct s3_conf *conf, struct backup_target *,
    struct err *) __attribute__((warn_unused_result));

/* What the target has of a name, for people. */
const char *backup_target_path(struct arena *, const struct backup_target *, const char *file);

/* Opens a file, which the caller closes.  -1: also 404, it is not there. */
int backup_target_open(const struct backup_target *, struct arena *, const char *file, int *fd, struct err *)
    __attribute__((warn_unused_result));

/*
 * Has what the store has under that name this digest, and that size (-1: any)?  -1: 404 it is not there, 409
 * it differs, 500 it cannot be read, 503 the store is away.
 */
int backup_check(const struct blob_store *, struct arena *, const char *key, const char *sha256, int64_t size,
    struct err *) __attribute__((warn_unused_result));

#endif
