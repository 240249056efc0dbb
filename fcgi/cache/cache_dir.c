#include "cache/cache_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/fault.h"
#include "base/hex.h"
#include "base/random.h"
#include "cache/cache_dir_own.h"

enum {
	/* a request that began in one second may look for that second's name in the next */
	LEASE_PAST = 2,
	SWEEP_MAX = 200, /* files of the trash per step: a notification may wait */
	DEPTH_MAX = 32, /* a page has at most as many segments as a request, and project/7/index/se/rd/serde.gz 6 */
	TRIES = 8
};

int
cache_dir_error(const struct cache_dir *d, const char *what, struct err *err)
{
	static const struct {
		int number;
		const char *remedy;
	} remedies[] = {
		{ ENOENT, "make the directory and give it to the pool's user" },
		{ EACCES, "give cache_dir and everything in it to the pool's user" },
		{ EPERM, "give cache_dir and everything in it to the pool's user" },
		{ ENOTDIR, "stop the pool, remove it, and make a directory of the pool's user" },
		{ ELOOP, "stop the pool, and remove it" },
		{ EISDIR, "stop the pool, and remove it" },
		{ ENOSPC, "make room on its file system" },
		{ EDQUOT, "raise the quota of the pool's user" },
		{ EROFS, "mount its file system for writing" },
	};
	int number = errno;

	if (what[0] == '\0')
		err_disk(err, "cache_dir: %s", d->path);
	else
		err_disk(err, "cache_dir: %s/%s", d->path, what);
	for (size_t i = 0; i < sizeof(remedies) / sizeof(*remedies); i++) {
		if (remedies[i].number == number)
			return err_context(err, "%s", remedies[i].remedy);
	}
	return -1;
}

bool
cache_dir_has(const struct cache_dir *d, const char *path)
{
	return faccessat(d->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int
cache_dir_make(const struct cache_dir *d, const char *path, struct err *err)
{
	return mkdirat(d->root, path, CACHE_DIR_MODE) == -1 && errno != EEXIST ? cache_dir_error(d, path, err) : 0;
}

DIR *
cache_dir_list(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);

	if (dir == NULL && fd != -1)
		close(fd);
	return dir;
}

int
cache_dir_each(const struct cache_dir *d, const char *path, cache_dir_fn *each, void *arg, struct err *err)
{
	DIR *dir = cache_dir_list(d->root, path);
	const char *name;
	int more = 0, rc = 0;

	if (dir == NULL)
		return cache_dir_error(d, path, err);
	while (rc == 0 && (more = disk_next_name(dir, &name)) == 1) {
		if (name[0] != '.')
			rc = each(arg, dirfd(dir), name, err);
	}
	if (more == -1)
		rc = cache_dir_error(d, path, err);
	closedir(dir);
	return rc;
}

int
cache_dir_move(int at, const char *from, char *path)
{
	int rc = renameat(at, from, at, path);

	if (rc == 0 || errno != ENOENT)
		return rc;
	for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		rc = mkdirat(at, path, CACHE_DIR_MODE);
		*slash = '/';
		if (rc == -1 && errno != EEXIST)
			return -1;
	}
	return renameat(at, from, at, path);
}

int
cache_dir_put(int at, const char *temporary, char *path, mode_t mode, struct slice bytes,
    const struct timespec *times)
{
	int fd, rc;

	/* a process that was killed may have left it, with another mode */
	if (unlinkat(at, temporary, 0) == -1 && errno != ENOENT)
		return -1;
	fd = openat(at, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd == -1)
		return -1;
	rc = FAULT_FAILS("cache", "write") || disk_write(fd, bytes) == -1 ? -1 : futimens(fd, times);
	/* some file systems report a full disk only here */
	if (close(fd) == -1)
		rc = -1;
	if (rc == 0) {
		FAULT_POINT("cache", "written");
		rc = cache_dir_move(at, temporary, path);
	}
	if (rc == -1) {
		int number = errno;

		/* the file may be what fills the disk */
		(void)unlinkat(at, temporary, 0);
		errno = number;
	}
	return rc;
}

static int
lock_take(struct cache_dir *d, bool *taken, struct err *err)
{
	int locked;

	d->lock = openat(d->root, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, CACHE_DIR_OWN_MODE);
	if (d->lock == -1 || (locked = disk_lock(d->lock)) == -1)
		return cache_dir_error(d, "lock", err);
	*taken = locked == 1;
	return 0;
}

/* Makes the node's name once; it stays with the directory. */
static int
node_read(struct cache_dir *d, struct err *err)
{
	unsigned char bytes[CACHE_DIR_NODE_BYTES];
	int fd = openat(d->root, "node", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, CACHE_DIR_OWN_MODE);
	ssize_t n;
	int rc = 0;

	if (fd == -1)
		return cache_dir_error(d, "node", err);
	n = TEMP_FAILURE_RETRY(read(fd, d->node, sizeof(d->node) - 1));
	if (n != (ssize_t)sizeof(d->node) - 1 ||
	    !hex_decode(slice_str(d->node), bytes, sizeof(bytes))) {
		rc = random_bytes(bytes, sizeof(bytes), err);
		hex_encode(bytes, sizeof(bytes), d->node);
		if (rc == 0 && (ftruncate(fd, 0) == -1 ||
		                   pwrite(fd, d->node, sizeof(d->node) - 1, 0) !=
		                       (ssize_t)sizeof(d->node) - 1))
			rc = cache_dir_error(d, "node", err);
	}
	close(fd);
	return rc;
}

/* The keeper opens the pipe for writing, too: so a read never finds the end of file. */
static int
hint_open(struct cache_dir *d, struct err *err)
{
	struct stat st;

	if (mkfifoat(d->root, "hint", CACHE_DIR_OWN_MODE) == -1 && errno != EEXIST)
		return cache_dir_error(d, "hint", err);
	d->hint = openat(d->root, "hint", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (d->hint == -1 || fstat(d->hint, &st) == -1)
		return cache_dir_error(d, "hint", err);
	return S_ISFIFO(st.st_mode) ? 0 :
	    err_internal(err, 500, "cache_dir: %s/hint is not a pipe; remove it", d->path);
}

/* The parts that every tree has.  A keeper that begins anew removes those from CONTENT on. */
static const char *const parts[] = { "now", "stale", "trash", "grant", "project", "group", "extract" };
enum { CONTENT = 3, NPARTS = sizeof(parts) / sizeof(*parts) };

static int
make_parts(const struct cache_dir *d, struct err *err)
{
	for (size_t i = 0; i < NPARTS; i++) {
		if (cache_dir_make(d, parts[i], err) == -1)
			return -1;
	}
	return 0;
}

/* Is the open file still what that name means? */
static bool
is_still(int fd, int at, const char *name)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && fstatat(at, name, &there, 0) == 0 &&
	    mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

bool
cache_dir_is_intact(const struct cache_dir *d)
{
	struct stat st;

	for (size_t i = 0; i < NPARTS; i++) {
		if (fstatat(d->root, parts[i], &st, 0) == -1 || !S_ISDIR(st.st_mode))
			return false;
	}
	return is_still(d->root, AT_FDCWD, d->path) && is_still(d->lock, d->root, "lock") &&
	    is_still(d->hint, d->root, "hint") && faccessat(d->root, "node", F_OK, 0) == 0;
}

int
cache_dir_open(const char *path, struct cache_dir **out, struct err *err)
{
	struct cache_dir *d = calloc(1, sizeof(*d));
	bool taken = false;
	int rc = -1;

	*out = NULL;
	if (d == NULL)
		return err_sys(err, "cache_dir");
	d->root = d->lock = d->hint = -1;
	/* a keeper that was killed has left names, for a lease, and trash */
	d->stale = d->trash = true;
	d->started_us = clock_us();
	d->path = strdup(path);
	if (d->path == NULL) {
		err_sys(err, "cache_dir");
	} else if ((d->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		cache_dir_error(d, "", err);
	} else if (lock_take(d, &taken, err) == 0) {
		rc = !taken || (make_parts(d, err) == 0 && node_read(d, err) == 0 && hint_open(d, err) == 0)
		    ? 0 : -1;
	}
	if (rc == 0 && taken)
		*out = d;
	else
		cache_dir_close(d);
	return rc;
}

void
cache_dir_close(struct cache_dir *d)
{
	if (d == NULL)
		return;
	if (d->hint != -1)
		close(d->hint);
	if (d->lock != -1)
		close(d->lock);
	if (d->root != -1)
		close(d->root);
	free(d->grants.v);
	free(d->path);
	free(d);
}

const char *
cache_dir_node(const struct cache_dir *d)
{
	return d->node;
}

/* ---- removal ---- */

int
cache_dir_discard(struct cache_dir *d, const char *path, struct err *err)
{
	char trash[64];

	for (int tries = 0; cache_dir_has(d, path) || errno != ENOENT; tries++) {
		snprintf(trash, sizeof(trash), "trash/%" PRIx64 "-%x", d->started_us, d->made++);
		if (!FAULT_FAILS("cache", "discard") &&
		    renameat(d->root, path, d->root, trash) == 0) {
			d->trash = true;
			return 0;
		}
		/*
		 * an earlier keeper may have used the name, and an administrator may have removed the
		 * directory
		 */
		if (tries == TRIES || (errno == ENOENT && cache_dir_make(d, "trash", err) == -1))
			return cache_dir_error(d, path, err);
	}
	return 0;
}

static bool empty_some(int at, const char *name, int depth, int *left);

/*
 * Removes a file, or a directory with its content, while *left is above 0.  True: it is gone.
 * A directory that cannot be removed stays in the trash, outside the tree.
 */
static bool
remove_some(int at, const char *name, int depth, int *left)
{
	if (--*left < 0)
		return false;
	if (unlinkat(at, name, 0) == 0 || depth == DEPTH_MAX)
		return true;
	if (!empty_some(at, name, depth, left))
		return false;
	(void)unlinkat(at, name, AT_REMOVEDIR);
	return true;
}

/* The same with what is in the directory. */
static bool
empty_some(int at, const char *name, int depth, int *left)
{
	DIR *dir = cache_dir_list(at, name);
	const char *below;
	bool empty = true;

	while (dir != NULL && empty && disk_next_name(dir, &below) == 1)
		empty = remove_some(dirfd(dir), below, depth + 1, left);
	if (dir != NULL)
		closedir(dir);
	return empty;
}

bool
cache_dir_has_trash(const struct cache_dir *d)
{
	return d->trash;
}

void
cache_dir_sweep(struct cache_dir *d)
{
	int left = SWEEP_MAX;

	d->trash = !empty_some(d->root, "trash", 0, &left);
}

/* ---- the lease ---- */

/* The seconds whose names stay. */
struct span {
	const struct cache_dir *dir;
	const char *path;
	long long first, last;
};

static int
forget_second(void *arg, int at, const char *name, struct err *err)
{
	const struct span *s = arg;
	long long second = strtoll(name, NULL, 10);

	if (second >= s->first && second <= s->last)
		return 0;
	return FAULT_FAILS("cache", "unlease") || unlinkat(at, name, 0) == -1
	    ? cache_dir_error(s->dir, s->path, err) : 0;
}

/* Removes the names of seconds before `first` and after `last`, also those that a wrong clock has left. */
static int
lease_forget(const struct cache_dir *d, const char *path, long long first, long long last, struct err *err)
{
	struct span span = { d, path, first, last };

	return cache_dir_each(d, path, forget_second, &span, err);
}

/* Points the names of the seconds from..last at the epoch, if there is one. */
static int
lease_write(struct cache_dir *d, const char *path, time_t from, time_t last, struct err *err)
{
	char name[32], target[sizeof("../grant/") + CACHE_EPOCH_SIZE];

	snprintf(target, sizeof(target), "../grant/%s", d->epoch);
	for (time_t s = from; d->epoch[0] != '\0' && s <= last; s++) {
		snprintf(name, sizeof(name), "%s/%lld", path, (long long)s);
		if (symlinkat(target, d->root, name) == -1 && errno != EEXIST)
			return cache_dir_error(d, path, err);
	}
	return 0;
}

int
cache_dir_lease(struct cache_dir *d, time_t now, time_t last, struct err *err)
{
	if (lease_write(d, "now", now, last, err) == -1)
		return -1;
	d->first = now;
	d->last = last;
	return lease_forget(d, "now", (long long)now - LEASE_PAST, (long long)last, err);
}

int
cache_dir_stale(struct cache_dir *d, time_t now, time_t last, struct err *err)
{
	d->stale = true;
	return lease_write(d, "stale", now, last, err) == -1
	    ? -1 : lease_forget(d, "stale", (long long)now - LEASE_PAST, (long long)last, err);
}

int
cache_dir_end_stale(struct cache_dir *d, struct err *err)
{
	if (d->stale && lease_forget(d, "stale", INT64_MAX, 0, err) == -1)
		return -1;
	d->stale = false;
	return 0;
}

const char *
cache_dir_epoch(const struct cache_dir *d)
{
	return d->epoch;
}

/* The grants have gone with their epoch. */
static void
forget_grants(struct cache_dir *d)
{
	d->epoch[0] = '\0';
	d->grants.n = 0;
	memset(d->grants.of_kind, 0, sizeof(d->grants.of_kind));
}

int
cache_dir_end_epoch(struct cache_dir *d, struct err *err)
{
	/* one rename takes all grants away, and the names of the lease point nowhere */
	if (cache_dir_discard(d, "grant", err) == -1)
		return -1;
	forget_grants(d);
	if (lease_forget(d, "now", INT64_MAX, 0, err) == -1)
		return -1;
	return cache_dir_make(d, "grant", err);
}

int
cache_dir_begin_epoch(struct cache_dir *d, const char *epoch, struct err *err)
{
	char path[CACHE_PATH_SIZE];

	if (!cache_epoch_valid(epoch))
		return err_internal(err, 500, "cache_dir: the database's epoch is not a valid name");
	snprintf(path, sizeof(path), "grant/%s", epoch);
	if (cache_dir_make(d, path, err) == -1)
		return -1;
	snprintf(d->epoch, sizeof(d->epoch), "%s", epoch);
	return lease_write(d, "now", d->first, d->last, err);
}

int
cache_dir_clear(struct cache_dir *d, struct err *err)
{
	d->first = 1;
	d->last = 0;
	d->stale = true;
	d->epoch[0] = '\0';
	if (lease_forget(d, "now", INT64_MAX, 0, err) == -1 || cache_dir_end_stale(d, err) == -1)
		return -1;
	for (size_t i = CONTENT; i < NPARTS; i++) {
		if (cache_dir_discard(d, parts[i], err) == -1)
			return -1;
	}
	forget_grants(d);
	d->absent.n = d->absent.next = 0;
	return make_parts(d, err);
}

/* ---- hints ---- */

int
cache_dir_hint_fd(const struct cache_dir *d)
{
	return d->hint;
}

bool
cache_dir_next_hint(struct cache_dir *d, struct cache_hint *h)
{
	char path[CACHE_PATH_SIZE];
	struct err err;

	if (read(d->hint, h, sizeof(*h)) != (ssize_t)sizeof(*h))
		return false;
	h->who.name[sizeof(h->who.name) - 1] = '\0';
	h->file.name[sizeof(h->file.name) - 1] = '\0';
	h->file.version[sizeof(h->file.version) - 1] = '\0';
	return h->file.namespace != 0 && cache_who_valid(h->who.name) &&
	    cache_path_file(path, &h->file, &err) == 0;
}

void
cache_dir_leave_hint(const char *path, const struct cache_hint *h)
{
	struct arena *a = arena_new();
	/* opening fails while the pipe has no reader */
	int fd = open(arena_printf(a, "%s/hint", path), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

	arena_free(a);
	if (fd == -1)
		return;
	/* less than PIPE_BUF, so it is written whole or not at all; the next miss writes another one */
	(void)!write(fd, h, sizeof(*h));
	close(fd);
}
