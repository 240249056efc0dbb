#include "store/public_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/hex.h"
#include "store/public_path.h"

/* Modes are left to the umask: nginx must be able to read what we write. */
enum { FILE_MODE = 0666, DIR_MODE = 0777, OWN_MODE = 0600 };

enum {
	NODE_BYTES = 16,
	SWEEP_MAX = 200, /* of the trash at once: a notification may be waiting */
	DEPTH_MAX = 8, /* the tree has 7 */
	TRIES = 8,
	/* whoever serves a request that began in a second may still look for it in the next */
	LEASE_PAST = 2
};

struct public_dir {
	int root;
	int lock;
	int want;
	unsigned made; /* names in the trash, so that each has another */
	int64_t started_us;
	char node[2 * NODE_BYTES + 1];
};

static int
disk_error(struct err *err, const char *what)
{
	return err_disk(err, "public_dir: %s", what);
}

static int
make_dir(int at, const char *path, struct err *err)
{
	return mkdirat(at, path, DIR_MODE) == -1 && errno != EEXIST ? disk_error(err, path) : 0;
}

static int
lock_take(struct public_dir *d, bool *taken, struct err *err)
{
	d->lock = openat(d->root, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, OWN_MODE);
	if (d->lock == -1)
		return disk_error(err, "lock");
	*taken = flock(d->lock, LOCK_EX | LOCK_NB) == 0;
	return *taken || errno == EWOULDBLOCK ? 0 : disk_error(err, "lock");
}

/* The node's name is made once and stays with the directory. */
static int
node_read(struct public_dir *d, struct err *err)
{
	unsigned char bytes[NODE_BYTES];
	int fd = openat(d->root, "node", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, OWN_MODE);
	ssize_t n;
	int rc = 0;

	if (fd == -1)
		return disk_error(err, "node");
	n = read(fd, d->node, sizeof(d->node) - 1);
	if (n != (ssize_t)sizeof(d->node) - 1 ||
	    !hex_decode(slice_str(d->node), bytes, sizeof(bytes))) {
		if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
			rc = err_sys(err, "getrandom");
		hex_encode(bytes, sizeof(bytes), d->node);
		if (rc == 0 && (ftruncate(fd, 0) == -1 ||
		                   pwrite(fd, d->node, sizeof(d->node) - 1, 0) !=
		                       (ssize_t)sizeof(d->node) - 1))
			rc = disk_error(err, "node");
	}
	close(fd);
	return rc;
}

/* Read and written by us, it never has an end for want of writers. */
static int
want_open(struct public_dir *d, struct err *err)
{
	struct stat st;

	if (mkfifoat(d->root, "want", OWN_MODE) == -1 && errno != EEXIST)
		return disk_error(err, "want");
	d->want = openat(d->root, "want", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (d->want == -1 || fstat(d->want, &st) == -1)
		return disk_error(err, "want");
	return S_ISFIFO(st.st_mode) ? 0 : err_internal(err, 500, "public_dir: want is no pipe");
}

int
public_dir_open(const char *path, struct public_dir **out, struct err *err)
{
	struct public_dir *d = calloc(1, sizeof(*d));
	bool taken = false;
	int rc = -1;

	*out = NULL;
	if (d == NULL)
		return err_sys(err, "public_dir");
	d->lock = d->want = -1;
	d->started_us = clock_us();
	d->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->root == -1)
		disk_error(err, path);
	else if (lock_take(d, &taken, err) == 0)
		rc = !taken || (make_dir(d->root, "now", err) == 0 &&
		                   make_dir(d->root, "trash", err) == 0 &&
		                   node_read(d, err) == 0 && want_open(d, err) == 0)
		    ? 0 : -1;
	if (rc == 0 && taken)
		*out = d;
	else
		public_dir_close(d);
	return rc;
}

void
public_dir_close(struct public_dir *d)
{
	if (d == NULL)
		return;
	if (d->want != -1)
		close(d->want);
	if (d->lock != -1)
		close(d->lock);
	if (d->root != -1)
		close(d->root);
	free(d);
}

const char *
public_dir_node(const struct public_dir *d)
{
	return d->node;
}

/* NULL at the end, which an error is not: what was not seen would stay.  0, or -1 with errno. */
static int
next_entry(DIR *dir, struct dirent **entry)
{
	errno = 0;
	*entry = readdir(dir);
	return *entry == NULL && errno != 0 ? -1 : 0;
}

/* ---- the lease ---- */

/*
 * Removes the names of seconds before `first` and after `last`: also those that a clock has left
 * which was wrong for a while.  0, or -1 with errno.
 */
static int
lease_forget(struct public_dir *d, long long first, long long last)
{
	int fd = openat(d->root, "now", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	while (rc == 0 && (rc = next_entry(dir, &entry)) == 0 && entry != NULL) {
		long long second = strtoll(entry->d_name, NULL, 10);

		if (entry->d_name[0] != '.' && (second < first || second > last) &&
		    (FAULT_FAILS("public", "unlease") || unlinkat(dirfd(dir), entry->d_name, 0) == -1))
			rc = -1;
	}
	closedir(dir);
	return rc;
}

int
public_dir_lease(struct public_dir *d, time_t now, time_t last, struct err *err)
{
	char name[32];

	for (time_t s = now; s <= last; s++) {
		snprintf(name, sizeof(name), "now/%lld", (long long)s);
		if (symlinkat("../tree", d->root, name) == -1 && errno != EEXIST)
			return disk_error(err, "now");
	}
	return lease_forget(d, (long long)now - LEASE_PAST, (long long)last) == -1
	    ? disk_error(err, "now") : 0;
}

/* ---- taking away ---- */

static bool
is_missing(const struct public_dir *d, const char *path)
{
	return faccessat(d->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT;
}

/* Out of the tree in one step; what it is can be removed at leisure. */
static int
discard(struct public_dir *d, const char *path, struct err *err)
{
	char trash[64];

	for (int tries = 0; !is_missing(d, path); tries++) {
		snprintf(trash, sizeof(trash), "trash/%" PRIx64 "-%x", d->started_us, d->made++);
		if (!FAULT_FAILS("public", "discard") &&
		    renameat(d->root, path, d->root, trash) == 0)
			return 0;
		/* the name may be one of an earlier keeper's, and somebody may have cleaned up */
		if (tries == TRIES || (errno == ENOENT && make_dir(d->root, "trash", err) == -1))
			return disk_error(err, path);
	}
	return 0;
}

int
public_dir_clear(struct public_dir *d, struct err *err)
{
	return lease_forget(d, INT64_MAX, 0) == -1 ? disk_error(err, "now")
						   : public_dir_remove_all(d, err);
}

int
public_dir_remove_all(struct public_dir *d, struct err *err)
{
	if (discard(d, "tree", err) == -1 || make_dir(d->root, "tree", err) == -1 ||
	    make_dir(d->root, "tree/index", err) == -1)
		return -1;
	return make_dir(d->root, "tree/crates", err);
}

int
public_dir_remove_index(struct public_dir *d, int64_t project_id, const char *name,
    bool *was_there, struct err *err)
{
	char path[PUBLIC_PATH_SIZE];

	if (public_path_public_index(path, project_id, name, err) == -1)
		return -1;
	*was_there = !FAULT_FAILS("public", "remove") && unlinkat(d->root, path, 0) == 0;
	return *was_there || errno == ENOENT || errno == ENOTDIR ? 0 : disk_error(err, path);
}

int
public_dir_remove_crate(struct public_dir *d, int64_t project_id, const char *name,
    bool *was_there, struct err *err)
{
	char path[PUBLIC_PATH_SIZE];

	if (public_path_crate(path, project_id, name, err) == -1)
		return -1;
	*was_there = faccessat(d->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return *was_there ? discard(d, path, err) : 0;
}

int
public_dir_remove_project(struct public_dir *d, int64_t project_id, struct err *err)
{
	static const char *const parts[] = { "index", "crates" };
	char path[PUBLIC_PATH_SIZE];

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		snprintf(path, sizeof(path), "tree/%s/%" PRId64, parts[i], project_id);
		if (discard(d, path, err) == -1)
			return -1;
	}
	return 0;
}

int
public_dir_remove_signed(struct public_dir *d, struct err *err)
{
	return discard(d, "tree/signed", err);
}

int
public_dir_remove_generations(struct public_dir *d, struct err *err)
{
	return public_dir_remove_signed(d, err) == -1 ? -1 : discard(d, "tree/kept", err);
}

/* Of each generation: while one ends, there may be two. */
static int
remove_below(DIR *dir, const char *rest, char generation[ACCESS_GENERATION_SIZE], struct err *err)
{
	char path[ACCESS_GENERATION_SIZE + PUBLIC_PATH_SIZE];
	struct dirent *entry;

	for (;;) {
		if (next_entry(dir, &entry) == -1)
			return disk_error(err, "tree/kept");
		if (entry == NULL)
			return 0;
		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= ACCESS_GENERATION_SIZE)
			continue;
		snprintf(path, sizeof(path), "%s/%s", entry->d_name, rest);
		if (!FAULT_FAILS("public", "remove") && unlinkat(dirfd(dir), path, 0) == 0)
			memcpy(generation, entry->d_name, strlen(entry->d_name) + 1);
		else if (errno != ENOENT && errno != ENOTDIR)
			return disk_error(err, path);
	}
}

int
public_dir_remove_kept(struct public_dir *d, int64_t project_id, const char *name,
    char generation[ACCESS_GENERATION_SIZE], struct err *err)
{
	char path[PUBLIC_PATH_SIZE];
	DIR *dir;
	int fd, rc;

	generation[0] = '\0';
	if (public_path_index(path, "", project_id, name, err) == -1)
		return -1;
	fd = openat(d->root, "tree/kept", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		rc = disk_error(err, "tree/kept");
		if (fd != -1)
			close(fd);
		return rc;
	}
	rc = remove_below(dir, path, generation, err);
	closedir(dir);
	return rc;
}

/*
 * Removes a file, or a directory and what is in it, as long as *left lasts.  True: it is gone.
 * A directory that cannot be removed stays: the tree is not made of it any more.
 */
static bool
remove_some(int at, const char *name, int depth, int *left)
{
	struct dirent *entry;
	bool empty = true;
	DIR *dir;
	int fd;

	if (--*left < 0)
		return false;
	if (unlinkat(at, name, 0) == 0 || depth == DEPTH_MAX)
		return true;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		if (fd != -1)
			close(fd);
		return true;
	}
	while (empty && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			empty = remove_some(dirfd(dir), entry->d_name, depth + 1, left);
	}
	closedir(dir);
	if (empty)
		(void)unlinkat(at, name, AT_REMOVEDIR);
	return empty;
}

void
public_dir_sweep(struct public_dir *d, bool *more)
{
	int fd = openat(d->root, "trash", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int left = SWEEP_MAX;

	*more = false;
	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	while (!*more && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			*more = !remove_some(dirfd(dir), entry->d_name, 0, &left);
	}
	closedir(dir);
}

/* ---- writing ---- */

bool
public_dir_has(struct public_dir *d, const struct public_want *w)
{
	char path[PUBLIC_PATH_SIZE];
	struct err err;

	return public_path_want(path, w, &err) == 0 &&
	    faccessat(d->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Gives what has the name `from` in the trash its place, and makes the directories that are missing. */
static int
place(struct public_dir *d, const char *from, char path[PUBLIC_PATH_SIZE], struct err *err)
{
	if (renameat(d->root, from, d->root, path) == 0)
		return 0;
	if (errno != ENOENT)
		return disk_error(err, path);
	for (char *slash = strchr(path + strlen("tree/"), '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (make_dir(d->root, path, err) == -1)
			return -1;
		*slash = '/';
	}
	return renameat(d->root, from, d->root, path) == -1 ? disk_error(err, path) : 0;
}

static int
write_all(int fd, struct slice bytes)
{
	while (bytes.n > 0) {
		ssize_t n = FAULT_FAILS("public", "write") ? -1 : write(fd, bytes.p, bytes.n);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		bytes = slice_of(bytes.p + n, bytes.n - (size_t)n);
	}
	return 0;
}

int
public_dir_put(struct public_dir *d, const struct public_want *w, struct slice bytes, time_t time,
    struct err *err)
{
	const struct timespec times[] = { { .tv_sec = time }, { .tv_sec = time } };
	char path[PUBLIC_PATH_SIZE];
	int fd, rc = 0;

	if (public_path_want(path, w, err) == -1)
		return -1;
	/* one name for all: there is one writer; what an earlier one left may have another mode */
	if (unlinkat(d->root, "trash/new", 0) == -1 && errno != ENOENT)
		return disk_error(err, "unlink");
	fd = openat(d->root, "trash/new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    w->generation[0] == '\0' ? FILE_MODE : OWN_MODE);
	if (fd == -1)
		return disk_error(err, "create");
	if (write_all(fd, bytes) == -1 || futimens(fd, times) == -1)
		rc = disk_error(err, "write");
	/* some file systems say only now that the disk is full */
	if (close(fd) == -1 && rc == 0)
		rc = disk_error(err, "close");
	FAULT_POINT("public", "written");
	if (rc == 0)
		rc = place(d, "trash/new", path, err);
	/* it may be what the disk is full of */
	if (rc == -1)
		(void)unlinkat(d->root, "trash/new", 0);
	FAULT_POINT("public", "placed");
	return rc;
}

int
public_dir_put_link(struct public_dir *d, const struct public_want *w, const char *blob,
    struct err *err)
{
	char path[PUBLIC_PATH_SIZE];

	if (public_path_want(path, w, err) == -1)
		return -1;
	if (unlinkat(d->root, "trash/link", 0) == -1 && errno != ENOENT)
		return disk_error(err, "unlink");
	if (symlinkat(blob, d->root, "trash/link") == -1)
		return disk_error(err, "symlink");
	return place(d, "trash/link", path, err);
}

/* ---- what is wanted ---- */

int
public_dir_want_fd(const struct public_dir *d)
{
	return d->want;
}

bool
public_dir_next_want(struct public_dir *d, struct public_want *w)
{
	ssize_t n = read(d->want, w, sizeof(*w));
	char path[PUBLIC_PATH_SIZE];
	struct err err;

	if (n != (ssize_t)sizeof(*w))
		return false;
	w->name[sizeof(w->name) - 1] = '\0';
	w->version[sizeof(w->version) - 1] = '\0';
	w->generation[sizeof(w->generation) - 1] = '\0';
	return w->project_id > 0 && public_path_want(path, w, &err) == 0;
}

void
public_dir_leave_want(const char *path, const struct public_want *w)
{
	char name[PUBLIC_PATH_SIZE];
	int fd;

	snprintf(name, sizeof(name), "%s/want", path);
	/* without a reader it cannot be opened */
	fd = open(name, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return;
	/* less than PIPE_BUF: whole or not at all; where it is not, the next miss asks again */
	(void)!write(fd, w, sizeof(*w));
	close(fd);
}

int
public_dir_open_kept(struct arena *a, const char *path, time_t now, const struct public_want *w)
{
	const char *index = crate_name_index_path(a, slice_str(w->name));

	return open(arena_printf(a, "%s/now/%lld/kept/%s/%" PRId64 "/%s", path, (long long)now,
			w->generation, w->project_id, index), O_RDONLY | O_CLOEXEC);
}
