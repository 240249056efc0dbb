#include "store/blob/blob_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/fault.h"
#include "base/log.h"
#include "net/s3.h"
#include "store/blob/blob.h"
#include "store/blob/blob_copies.h"
#include "store/blob/blob_dir.h"

/* The mode is left to the umask: nginx must be able to read what we write. */
enum { FILE_MODE = 0666, WAIT_MAX_MS = 20, NAME_DIGITS = BLOB_STAGING_NAME_SIZE - 1 };

/* So little free space counts as a full disk. */
#define FULL_BYTES ((int64_t)64 << 20)

static const char *
copy_path(const struct blob_store *store, struct arena *a, const char *sha256)
{
	return arena_printf(a, "%s/%s", store->dir, blob_path(a, sha256));
}

static bool
use(const char *path)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_OMIT } };

	return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
blob_has_copy(const struct blob_store *store, const char *sha256)
{
	char name[BLOB_PATH_SIZE], path[PATH_MAX];

	blob_path_write(sha256, name);
	return store->kind->copies &&
	    snprintf(path, sizeof(path), "%s/%s", store->dir, name) < (int)sizeof(path) && use(path);
}

/*
 * The state of a process that fetches a blob into a staging file, whose name blob_sweep_staging()
 * recognizes.
 */
struct bringing {
	const struct blob_store *store;
	struct arena *arena;
	const char *sha256;
	const char *path, *aside;
	const char *sent; /* the name, below the directory, of the early file for nginx; NULL: there is none */
	int64_t max;
	bool early; /* the file gets its name later, by finish() */
	int fd;
};

/* Is the locked file still the one of that name, and new?  One with bytes is of a process that died. */
static bool
is_new(const struct bringing *b)
{
	struct stat is, named;

	if (fstat(b->fd, &is) == -1 || lstat(b->aside, &named) == -1 || is.st_dev != named.st_dev ||
	    is.st_ino != named.st_ino)
		return false;
	if (is.st_size == 0)
		return true;
	(void)unlink(b->aside);
	return false;
}

/* 1: this process may write the file; 0: another process has fetched the blob meanwhile; -1: err. */
static int
lock(struct bringing *b, int64_t until_us, struct err *err)
{
	int locked;

	for (int ms = 1;; ms = 2 * ms < WAIT_MAX_MS ? 2 * ms : WAIT_MAX_MS) {
		b->fd = open(b->aside, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
		if (b->fd == -1)
			return err_disk(err, "blob store: create %s", b->aside);
		locked = disk_lock(b->fd);
		if (locked == 1 && !use(b->path) && is_new(b))
			return 1;
		if (locked == -1)
			err_disk(err, "blob store: lock %s", b->aside);
		blob_fd_close(&b->fd);
		if (locked == -1)
			return -1;
		if (use(b->path))
			return 0;
		if (clock_us() >= until_us) {
			err_internal(err, 503, "object store: another process is still fetching %s", b->sha256);
			return err_tell(err, "the registry's object store is slow; try again in a few seconds");
		}
		(void)poll(NULL, 0, ms);
	}
}

/* Gives the file its name, besides the one in staging, when its bytes are on the disk. */
static int
name_copy(struct bringing *b, struct err *err)
{
	char first[3], second[6];
	int root, rc = -1;

	snprintf(first, sizeof(first), "%.2s", b->sha256);
	snprintf(second, sizeof(second), "%.2s/%.2s", b->sha256, b->sha256 + 2);
	if (FAULT_FAILS("copy", "fsync") || fsync(b->fd) == -1)
		return err_disk(err, "blob store: fsync %s", b->aside);
	FAULT_POINT("copy", "fsynced");
	if (blob_dir_open(AT_FDCWD, b->store->dir, &root, err) == -1)
		return -1;
	if (blob_dir_make(root, first, err) == 0 && blob_dir_make(root, second, err) == 0)
		rc = link(b->aside, b->path) == 0 || errno == EEXIST ? 0
		    : err_disk(err, "blob store: link %s", b->path);
	close(root);
	FAULT_POINT("copy", "named");
	return rc;
}

/*
 * Gives the early file a name for nginx that no other process uses.  The one that is locked may belong to the
 * next file before nginx opens it, if this one does not become a copy.
 */
static int
name_sent(struct bringing *b, struct err *err)
{
	char name[BLOB_STAGING_NAME_SIZE];
	const char *sent;

	if (blob_staging_name(name, err) == -1)
		return -1;
	sent = arena_printf(b->arena, BLOB_STAGING "/%s" BLOB_SENT, name);
	if (FAULT_FAILS("copy", "sent") ||
	    link(b->aside, arena_printf(b->arena, "%s/%s", b->store->dir, sent)) == -1)
		return err_disk(err, "blob store: link %s", sent);
	b->sent = sent;
	return 0;
}

static int
refuse_damaged(struct bringing *b, const char *wrong, struct err *err)
{
	err_internal(err, 503, "object store: %s %s; run `berth fsck --deep`", blob_path(b->arena, b->sha256),
	    wrong);
	return err_tell(err, "the registry's object store has damaged the bytes of this crate; tell the registry's "
	    "administrator");
}

/* 1: fetched, 0: the store lacks the blob, -1: err. */
static int
fetch(struct bringing *b, struct err *err)
{
	struct s3_object object;
	int rc = s3_get(b->store->s3, b->arena, blob_path(b->arena, b->sha256), b->fd, b->max, &object, err);

	FAULT_POINT("copy", "fetched");
	if (rc == -1 && err->status == 409)
		return refuse_damaged(b, arena_printf(b->arena, "has more than %" PRId64 " bytes", b->max), err);
	if (rc == 1 && strcmp(object.sha256, b->sha256) != 0)
		return refuse_damaged(b, arena_printf(b->arena, "has other bytes, with the SHA-256 %s", object.sha256),
		    err);
	return rc == 1 && (b->early ? name_sent(b, err) : name_copy(b, err)) == -1 ? -1 : rc;
}

bool
blob_copy_disk_is_full(const struct blob_store *store)
{
	int64_t bytes;

	return FAULT_FAILS("copy", "full") || (disk_free(store->dir, &bytes) == 0 && bytes < FULL_BYTES);
}

/* Removes copies if the disk is full.  True: there is some room now. */
static bool
make_room(const struct blob_store *store)
{
	int64_t files, bytes, removed = 0;
	struct err err = { 0 };

	return blob_copy_disk_is_full(store) && blob_copies_count(store, &files, &bytes, &err) == 0 &&
	       blob_copies_trim(store, bytes - 1, INT64_MAX, &removed, &err) == 0 &&
	       (blob_sweep_staging(store->dir, INT64_MAX, &err) > 0 || removed > 0);
}

/* 1: there is a copy, or, if b->sent is set, the early file; 0, -1: as blob_bring(). */
static int
bring(struct bringing *b, int64_t until_us, struct err *err)
{
	int rc = use(b->path) ? 0 : lock(b, until_us, err);

	if (rc != 1)
		return rc == 0 ? 1 : -1;
	rc = fetch(b, err);
	if (rc == -1 && make_room(b->store)) {
		err_clear(err);
		rc = fetch(b, err);
	}
	/* this needs the lock: without it another process might already use the name */
	if (rc != 1 || !b->early) {
		(void)unlink(b->aside);
		blob_fd_close(&b->fd);
	}
	return rc;
}

static struct bringing *
bringing_new(const struct blob_store *store, struct arena *a, const char *sha256, int64_t max)
{
	struct bringing *b = arena_alloc(a, sizeof(*b));

	*b = (struct bringing) { .store = store, .arena = a, .sha256 = sha256, .max = max,
		.path = copy_path(store, a, sha256),
		.aside = arena_printf(a, "%s/" BLOB_STAGING "/%.*s", store->dir, NAME_DIGITS, sha256), .fd = -1 };
	return b;
}

int
blob_bring(const struct blob_store *store, struct arena *a, const char *sha256, int64_t max, int64_t until_us,
    struct err *err)
{
	int rc, fd;

	if (store->kind->copies)
		return bring(bringing_new(store, a, sha256, max), until_us, err);
	rc = store->kind->open(store, a, blob_path(a, sha256), max, &fd, err);
	if (rc == 1)
		close(fd);
	return rc;
}

/* Runs when the client has its answer.  If this fails, the next client waits for the store again. */
static void
finish(void *arg)
{
	struct bringing *b = arg;
	struct err err = { 0 };

	if (b->fd == -1)
		return;
	if (name_copy(b, &err) == -1)
		log_warn("%s", err.detail);
	(void)unlink(b->aside);
	blob_fd_close(&b->fd);
}

int
blob_bring_early(const struct blob_store *store, struct arena *a, const char *sha256, int64_t max,
    int64_t until_us, const char **path, struct err *err)
{
	struct bringing *b = bringing_new(store, a, sha256, max);
	int rc;

	*path = blob_path(a, sha256);
	if (!store->kind->copies)
		return blob_bring(store, a, sha256, max, until_us, err);
	b->early = true;
	arena_defer(a, finish, b);
	rc = bring(b, until_us, err);
	if (b->sent != NULL)
		*path = b->sent;
	return rc;
}
