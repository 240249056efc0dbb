#include "store/public_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/public_dir_own.h"
#include "store/public_path.h"

enum {
	FILE_MODE = 0666, /* left to the umask: nginx must be able to read what we write */
	SWEEP_MAX = 200, /* of the trash at once: a notification may be waiting */
	DEPTH_MAX = 8, /* the tree has 7 */
	TRIES = 8
};

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
		if (tries == TRIES || (errno == ENOENT && public_dir_make(d->root, "trash", err) == -1))
			return public_dir_error(err, path);
	}
	return 0;
}

int
public_tree_remove_all(struct public_dir *d, struct err *err)
{
	if (discard(d, "tree", err) == -1 || public_dir_make(d->root, "tree", err) == -1 ||
	    public_dir_make(d->root, "tree/index", err) == -1)
		return -1;
	return public_dir_make(d->root, "tree/crates", err);
}

int
public_tree_remove_index(struct public_dir *d, int64_t project_id, const char *name,
    bool *was_there, struct err *err)
{
	char path[PUBLIC_PATH_SIZE];

	if (public_path_public_index(path, project_id, name, err) == -1)
		return -1;
	*was_there = !FAULT_FAILS("public", "remove") && unlinkat(d->root, path, 0) == 0;
	return *was_there || errno == ENOENT || errno == ENOTDIR ? 0 : public_dir_error(err, path);
}

/* All generations of which there is something below a path; *dir is NULL where there is nothing. */
static int
generations_open(struct public_dir *d, const char *path, DIR **dir, struct err *err)
{
	int fd = openat(d->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*dir = fd == -1 ? NULL : fdopendir(fd);
	if (*dir != NULL || (fd == -1 && errno == ENOENT))
		return 0;
	(void)public_dir_error(err, path);
	if (fd != -1)
		close(fd);
	return -1;
}

/* While one ends, there may be two.  1: here it is, 0: there is no more, -1: err. */
static int
generations_next(DIR *dir, const char **generation, struct err *err)
{
	struct dirent *entry;

	if (dir == NULL)
		return 0;
	do {
		if (public_dir_next(dir, &entry) == -1) {
			(void)public_dir_error(err, "generations");
			return -1;
		}
		if (entry == NULL)
			return 0;
	} while (entry->d_name[0] == '.' || strlen(entry->d_name) >= ACCESS_GENERATION_SIZE);
	*generation = entry->d_name;
	return 1;
}

static int
discard_signed(struct public_dir *d, int64_t project_id, const char *name, struct err *err)
{
	char path[PUBLIC_PATH_SIZE];
	const char *generation;
	DIR *dir;
	int rc;

	if (generations_open(d, "tree/signed", &dir, err) == -1)
		return -1;
	while ((rc = generations_next(dir, &generation, err)) == 1) {
		snprintf(path, sizeof(path), "tree/signed/%s/%" PRId64 "/%s", generation, project_id,
		    name);
		if (discard(d, path, err) == -1) {
			rc = -1;
			break;
		}
	}
	if (dir != NULL)
		closedir(dir);
	return rc;
}

int
public_tree_remove_crate(struct public_dir *d, int64_t project_id, const char *name,
    struct err *err)
{
	char path[PUBLIC_PATH_SIZE];

	if (public_path_crate(path, project_id, name, err) == -1 || discard(d, path, err) == -1)
		return -1;
	return discard_signed(d, project_id, name, err);
}

int
public_tree_remove_project(struct public_dir *d, int64_t project_id, struct err *err)
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
public_tree_remove_generations(struct public_dir *d, struct err *err)
{
	return discard(d, "tree/signed", err) == -1 ? -1 : discard(d, "tree/kept", err);
}

int
public_tree_remove_kept(struct public_dir *d, int64_t project_id, const char *name,
    char generation[ACCESS_GENERATION_SIZE], struct err *err)
{
	char rest[PUBLIC_PATH_SIZE], path[ACCESS_GENERATION_SIZE + PUBLIC_PATH_SIZE];
	const char *next;
	DIR *dir;
	int rc;

	generation[0] = '\0';
	if (public_path_index(rest, "", project_id, name, err) == -1 ||
	    generations_open(d, "tree/kept", &dir, err) == -1)
		return -1;
	while ((rc = generations_next(dir, &next, err)) == 1) {
		snprintf(path, sizeof(path), "%s/%s", next, rest);
		if (!FAULT_FAILS("public", "remove") && unlinkat(dirfd(dir), path, 0) == 0) {
			memcpy(generation, next, strlen(next) + 1);
		} else if (errno != ENOENT && errno != ENOTDIR) {
			rc = public_dir_error(err, path);
			break;
		}
	}
	if (dir != NULL)
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
public_tree_sweep(struct public_dir *d, bool *more)
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
public_tree_has(struct public_dir *d, const struct public_want *w)
{
	char path[PUBLIC_PATH_SIZE];
	struct err err;

	return public_path_want(path, w, &err) == 0 &&
	    faccessat(d->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Gives what is `from` in the trash its place, and makes the directories that are missing. */
static int
place(struct public_dir *d, const char *from, char path[PUBLIC_PATH_SIZE], struct err *err)
{
	if (renameat(d->root, from, d->root, path) == 0)
		return 0;
	if (errno != ENOENT)
		return public_dir_error(err, path);
	for (char *slash = strchr(path + strlen("tree/"), '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (public_dir_make(d->root, path, err) == -1)
			return -1;
		*slash = '/';
	}
	return renameat(d->root, from, d->root, path) == -1 ? public_dir_error(err, path) : 0;
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
public_tree_put(struct public_dir *d, const struct public_want *w, struct slice bytes, time_t time,
    struct err *err)
{
	const struct timespec times[] = { { .tv_sec = time }, { .tv_sec = time } };
	char path[PUBLIC_PATH_SIZE];
	int fd, rc = 0;

	if (public_path_want(path, w, err) == -1)
		return -1;
	/* one name for all: there is one writer; what an earlier one left may have another mode */
	if (unlinkat(d->root, "trash/new", 0) == -1 && errno != ENOENT)
		return public_dir_error(err, "unlink");
	fd = openat(d->root, "trash/new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    w->generation[0] == '\0' ? FILE_MODE : PUBLIC_DIR_OWN_MODE);
	if (fd == -1)
		return public_dir_error(err, "create");
	if (write_all(fd, bytes) == -1 || futimens(fd, times) == -1)
		rc = public_dir_error(err, "write");
	/* some file systems say only now that the disk is full */
	if (close(fd) == -1 && rc == 0)
		rc = public_dir_error(err, "close");
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
public_tree_put_link(struct public_dir *d, const struct public_want *w, const char *blob,
    struct err *err)
{
	char path[PUBLIC_PATH_SIZE];

	if (public_path_want(path, w, err) == -1)
		return -1;
	if (unlinkat(d->root, "trash/link", 0) == -1 && errno != ENOENT)
		return public_dir_error(err, "unlink");
	if (symlinkat(blob, d->root, "trash/link") == -1)
		return public_dir_error(err, "symlink");
	return place(d, "trash/link", path, err);
}
