#include "store/public_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/hex.h"
#include "store/public_dir_own.h"
#include "store/public_path.h"
#include "store/public_tree.h"

enum {
	DIR_MODE = 0777, /* left to the umask: nginx must be able to read what we write */
	/* whoever serves a request that began in a second may still look for it in the next */
	LEASE_PAST = 2
};

int
public_dir_error(struct err *err, const char *what)
{
	return err_disk(err, "public_dir: %s", what);
}

int
public_dir_make(int at, const char *path, struct err *err)
{
	return mkdirat(at, path, DIR_MODE) == -1 && errno != EEXIST ? public_dir_error(err, path) : 0;
}

int
public_dir_next(DIR *dir, struct dirent **entry)
{
	errno = 0;
	*entry = FAULT_FAILS("public", "readdir") ? NULL : readdir(dir);
	return *entry == NULL && errno != 0 ? -1 : 0;
}

static int
lock_take(struct public_dir *d, bool *taken, struct err *err)
{
	d->lock = openat(d->root, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, PUBLIC_DIR_OWN_MODE);
	if (d->lock == -1)
		return public_dir_error(err, "lock");
	*taken = flock(d->lock, LOCK_EX | LOCK_NB) == 0;
	return *taken || errno == EWOULDBLOCK ? 0 : public_dir_error(err, "lock");
}

/* The node's name is made once and stays with the directory. */
static int
node_read(struct public_dir *d, struct err *err)
{
	unsigned char bytes[PUBLIC_DIR_NODE_BYTES];
	int fd = openat(d->root, "node", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, PUBLIC_DIR_OWN_MODE);
	ssize_t n;
	int rc = 0;

	if (fd == -1)
		return public_dir_error(err, "node");
	n = read(fd, d->node, sizeof(d->node) - 1);
	if (n != (ssize_t)sizeof(d->node) - 1 ||
	    !hex_decode(slice_str(d->node), bytes, sizeof(bytes))) {
		if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
			rc = err_sys(err, "getrandom");
		hex_encode(bytes, sizeof(bytes), d->node);
		if (rc == 0 && (ftruncate(fd, 0) == -1 ||
		                   pwrite(fd, d->node, sizeof(d->node) - 1, 0) !=
		                       (ssize_t)sizeof(d->node) - 1))
			rc = public_dir_error(err, "node");
	}
	close(fd);
	return rc;
}

/* Read and written by us, it never has an end for want of writers. */
static int
want_open(struct public_dir *d, struct err *err)
{
	struct stat st;

	if (mkfifoat(d->root, "want", PUBLIC_DIR_OWN_MODE) == -1 && errno != EEXIST)
		return public_dir_error(err, "want");
	d->want = openat(d->root, "want", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (d->want == -1 || fstat(d->want, &st) == -1)
		return public_dir_error(err, "want");
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
		public_dir_error(err, path);
	else if (lock_take(d, &taken, err) == 0)
		rc = !taken || (public_dir_make(d->root, "now", err) == 0 &&
		                   public_dir_make(d->root, "trash", err) == 0 &&
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
	while (rc == 0 && (rc = public_dir_next(dir, &entry)) == 0 && entry != NULL) {
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
			return public_dir_error(err, "now");
	}
	return lease_forget(d, (long long)now - LEASE_PAST, (long long)last) == -1
	    ? public_dir_error(err, "now") : 0;
}

int
public_dir_clear(struct public_dir *d, struct err *err)
{
	return lease_forget(d, INT64_MAX, 0) == -1 ? public_dir_error(err, "now")
						   : public_tree_remove_all(d, err);
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
