#include "cache/cache_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "cache/cache_dir_own.h"

enum { FILE_MODE = 0666 /* the umask restricts it: nginx must be able to read these */ };

/* *was_there becomes true where there was such a file. */
static int
remove_file(struct cache_dir *d, const char *path, bool *was_there, struct err *err)
{
	if (!FAULT_FAILS("cache", "remove") && unlinkat(d->root, path, 0) == 0)
		*was_there = true;
	else if (errno != ENOENT && errno != ENOTDIR)
		return cache_dir_error(d, path, err);
	return 0;
}

int
cache_tree_remove_index(struct cache_dir *d, int64_t namespace, const char *name,
    bool *was_there, struct err *err)
{
	struct cache_file f = { .namespace = namespace };
	char path[CACHE_PATH_SIZE], mark[CACHE_PATH_SIZE];

	*was_there = false;
	if (cache_path_absent(mark, namespace, name, err) == -1)
		return -1;
	memcpy(f.name, name, strlen(name) + 1);
	if (cache_path_file(path, &f, err) == -1 || remove_file(d, path, was_there, err) == -1)
		return -1;
	return remove_file(d, mark, was_there, err);
}

int
cache_tree_remove_crate(struct cache_dir *d, int64_t namespace, const char *name, struct err *err)
{
	char path[CACHE_PATH_SIZE];

	return cache_path_crate(path, namespace, name, err) == -1 ? -1 : cache_dir_discard(d, path, err);
}

int
cache_tree_remove_namespace(struct cache_dir *d, int64_t namespace, struct err *err)
{
	char path[CACHE_PATH_SIZE];

	if (namespace > 0) {
		cache_path_extracts(path, namespace);
		if (cache_dir_discard(d, path, err) == -1)
			return -1;
	}
	cache_path_namespace(path, namespace);
	return cache_dir_discard(d, path, err);
}

struct views {
	cache_view_fn *view;
	void *arg;
};

static int
take_view(void *arg, int at, const char *name, struct err *err)
{
	const struct views *v = arg;
	int64_t group = strtoll(name, NULL, 10);

	(void)at;
	return group > 0 ? v->view(v->arg, -group, err) : 0;
}

int
cache_tree_each_view(struct cache_dir *d, cache_view_fn *view, void *arg, struct err *err)
{
	struct views views = { view, arg };

	return cache_dir_each(d, "group", take_view, &views, err);
}

bool
cache_tree_has(struct cache_dir *d, const struct cache_file *f)
{
	char path[CACHE_PATH_SIZE];
	struct err err;

	return cache_path_file(path, f, &err) == 0 &&
	    faccessat(d->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int
cache_tree_path(struct cache_dir *d, const char *from, char path[CACHE_PATH_SIZE], struct err *err)
{
	if (renameat(d->root, from, d->root, path) == 0)
		return 0;
	if (errno != ENOENT)
		return cache_dir_error(d, path, err);
	for (char *slash = strchr(path, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (cache_dir_make(d, path, err) == -1)
			return -1;
		*slash = '/';
	}
	return renameat(d->root, from, d->root, path) == -1 ? cache_dir_error(d, path, err) : 0;
}

static int
put(struct cache_dir *d, char path[CACHE_PATH_SIZE], struct slice bytes, time_t time, struct err *err)
{
	const struct timespec times[] = { { .tv_sec = time }, { .tv_sec = time } };
	int fd, rc = 0;

	/* one name suffices for one writer; a file that an earlier keeper left may have another mode */
	if (unlinkat(d->root, "trash/new", 0) == -1 && errno != ENOENT)
		return cache_dir_error(d, "trash/new", err);
	fd = openat(d->root, "trash/new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    FILE_MODE);
	if (fd == -1)
		return cache_dir_error(d, "trash/new", err);
	if (cache_dir_write(fd, bytes) == -1 || futimens(fd, times) == -1)
		rc = cache_dir_error(d, "trash/new", err);
	/* some file systems report a full disk only here */
	if (close(fd) == -1 && rc == 0)
		rc = cache_dir_error(d, "trash/new", err);
	FAULT_POINT("cache", "written");
	if (rc == 0)
		rc = cache_tree_path(d, "trash/new", path, err);
	/* the file may be what fills the disk */
	if (rc == -1)
		(void)unlinkat(d->root, "trash/new", 0);
	FAULT_POINT("cache", "placed");
	return rc;
}

int
cache_tree_put(struct cache_dir *d, const struct cache_file *f, struct slice bytes, time_t time,
    struct err *err)
{
	char path[CACHE_PATH_SIZE];

	return cache_path_file(path, f, err) == -1 ? -1 : put(d, path, bytes, time, err);
}

int
cache_tree_mark_absent(struct cache_dir *d, int64_t namespace, const char *name, struct err *err)
{
	char path[CACHE_PATH_SIZE];

	return cache_path_absent(path, namespace, name, err) == -1 ? -1
	    : put(d, path, slice_of("", 0), 0, err);
}

bool
cache_tree_is_absent(struct cache_dir *d, int64_t namespace, const char *name)
{
	char path[CACHE_PATH_SIZE];
	struct err err;

	return cache_path_absent(path, namespace, name, &err) == 0 &&
	    faccessat(d->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int
cache_tree_unmark_absent(struct cache_dir *d, int64_t namespace, const char *name, struct err *err)
{
	char path[CACHE_PATH_SIZE], root[CACHE_PATH_SIZE], *slash;
	bool was_there = false;

	if (cache_path_absent(path, namespace, name, err) == -1 ||
	    remove_file(d, path, &was_there, err) == -1)
		return -1;
	/* the next file makes them again; a folder that has other files stays, and so do those around it */
	cache_path_namespace(root, namespace);
	while ((slash = strrchr(path, '/')) != NULL) {
		*slash = '\0';
		if (strcmp(path, root) == 0 || unlinkat(d->root, path, AT_REMOVEDIR) == -1)
			break;
	}
	return 0;
}

int
cache_tree_put_link(struct cache_dir *d, const struct cache_file *f, const char *blob,
    struct err *err)
{
	char path[CACHE_PATH_SIZE];

	if (cache_path_file(path, f, err) == -1)
		return -1;
	if (unlinkat(d->root, "trash/link", 0) == -1 && errno != ENOENT)
		return cache_dir_error(d, "trash/link", err);
	if (symlinkat(blob, d->root, "trash/link") == -1)
		return cache_dir_error(d, "trash/link", err);
	return cache_tree_path(d, "trash/link", path, err);
}
