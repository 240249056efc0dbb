#ifndef STORE_BACKUP_BACKUP_TARGET_H
#define STORE_BACKUP_BACKUP_TARGET_H

/*
 * Where backups are: a directory, or a bucket of an object store.  Files have the same names in both
 * (backup_manifest.h), so any tool can copy one target to another.
 *
 * A file on its way to or from a bucket lies in TMPDIR, or in /tmp, without a name.
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
	const char *name; /* for messages: the directory, or s3://BUCKET/PREFIX */
	const struct blob_store *files; /* opens and removes files at the target itself */
	const struct blob_store *blobs; /* the blobs, below `blobs` */
	int64_t put_max; /* the most bytes of a file in a bucket, in whole GiB */
};

/* The place of the blobs, and, in a directory, that of the blobs that a backup is copying. */
#define BACKUP_BLOBS    "blobs"
#define BACKUP_INCOMING "incoming"

/* The object with the id of the registry whose backups a bucket has. */
#define BACKUP_OWNER "backups-of"

/* Called for each file.  0: continue; -1: stop, with err. */
typedef int backup_each(void *arg, const char *file, struct err *);

/* Each function can fail with 500 or 503, and with the statuses that its comment names. */
struct backup_target_kind {
	/*
	 * Makes the directory if it is missing, locks other backups out until the caller closes *lock (-1:
	 * nothing to close), and removes blobs that an interrupted backup was copying.  -1: also 409, another
	 * backup to this target is running.
	 */
	int (*begin)(const struct backup_target *, struct arena *, int *lock, struct err *);
	/*
	 * Claims a bucket for this registry.  Call it before the first change, and again before you write the
	 * manifest: in a store that knows no conditional requests two registries may claim it at once, and then
	 * it belongs to the later one.  A directory needs no claim: it is locked, and its manifests name its
	 * registry.  -1: also 409, it belongs to another registry.
	 */
	int (*claim)(const struct backup_target *, struct arena *, const char *registry, struct err *);
	/*
	 * Calls the function for all files at the target itself, in no order, also unfinished ones.  -1: also
	 * 404.
	 */
	int (*list)(const struct backup_target *, struct arena *, backup_each *, void *arg, struct err *);
	/* Makes a file to write and to read; the caller closes *fd.  The file gets its name by keep(). */
	int (*create)(const struct backup_target *, struct arena *, const char *file, int *fd, struct err *);
	/* Gives the file its name in one step, with its bytes on the disk.  -1: also 409, it is too large. */
	int (*keep)(const struct backup_target *, struct arena *, const char *file, int fd, int64_t size,
	    const char *sha256, struct err *);
	/* Drops the file instead of keep(). */
	void (*drop)(const struct backup_target *, struct arena *, const char *file);
	/* Makes a copier of blobs to the target. */
	int (*copier)(const struct backup_target *, struct arena *, struct backup_copy **, struct err *);
};

/* The end of the name of an unfinished file. */
#define BACKUP_NEW ".new"

/*
 * Finds the target by its name: a directory, or s3://BUCKET[/PREFIX]; conf says how to reach the bucket.
 * Opens nothing yet.  -1: 400, the name is wrong.
 */
int backup_target_find(struct arena *, const char *name, const struct s3_conf *conf, struct backup_target *,
    struct err *) __attribute__((warn_unused_result));

/* The whole name of a file of the target, for messages. */
const char *backup_target_path(struct arena *, const struct backup_target *, const char *file);

/*
 * Opens a file of at most `max` bytes, which the caller closes.  -1: also 404 it is not there, 409 it is
 * larger.
 */
int backup_target_open(const struct backup_target *, struct arena *, const char *file, int64_t max, int *fd,
    struct err *) __attribute__((warn_unused_result));

/*
 * Checks that the store has this key, with this digest, and at most `max` bytes; exact: just as many.  -1:
 * 404 it is missing, 409 it differs, 500 it cannot be read, 503 the store does not answer.
 */
int backup_check(const struct blob_store *, struct arena *, const char *key, const char *sha256, int64_t max,
    bool exact, struct err *) __attribute__((warn_unused_result));

#endif
