#include "cache/cache_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "cache/cache_dir_own.h"

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
cache_tree_remove_index(struct cache_dir *d, const struct cache_file *f, bool *was_there, struct err *err)
{
	char path[CACHE_PATH_SIZE], mark[CACHE_PATH_SIZE];

	*was_there = false;
	if (cache_path_absent(mark, f->namespace, f->name, err) == -1 || cache_path_file(path, f, err) == -1 ||
	    remove_file(d, path, was_there, err) == -1)
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

bool
cache_tree_has(const struct cache_dir *d, const struct cache_file *f)
{
	char path[CACHE_PATH_SIZE];
	struct err err;

	return cache_path_file(path, f, &err) == 0 && cache_dir_has(d, path);
}

static int
put(struct cache_dir *d, char path[CACHE_PATH_SIZE], struct slice bytes, time_t time, struct err *err)
{
	const struct timespec times[] = { { .tv_sec = time }, { .tv_sec = time } };

	if (cache_dir_put(d->root, "trash/new", path, CACHE_FILE_MODE, bytes, times) == -1)
		return cache_dir_error(d, path, err);
	FAULT_POINT("cache", "placed");
	return 0;
}

int
cache_tree_put(struct cache_dir *d, const struct cache_file *f, struct slice bytes, time_t time,
    struct err *err)
{
	char path[CACHE_PATH_SIZE];

	return cache_path_file(path, f, err) == -1 ? -1 : put(d, path, bytes, time, err);
}

int
cache_tree_put_link(struct cache_dir *d, const struct cache_file *f, const char *blob,
    struct err *err)
{
	char path[CACHE_PATH_SIZE];

	if (cache_path_file(path, f, err) == -1)
		return -1;
	if ((unlinkat(d->root, "trash/link", 0) == -1 && errno != ENOENT) ||
	    symlinkat(blob, d->root, "trash/link") == -1 || cache_dir_move(d->root, "trash/link", path) == -1)
		return cache_dir_error(d, path, err);
	return 0;
}

static int
unmark(struct cache_dir *d, const struct mark *m, struct err *err)
{
	char path[CACHE_PATH_SIZE], root[CACHE_PATH_SIZE], *slash;
	bool was_there;

	if (cache_path_absent(path, m->namespace, m->name, err) == -1 ||
	    remove_file(d, path, &was_there, err) == -1)
		return -1;
	/* the next file makes them again; a folder that has other files stays, and so do those around it */
	cache_path_namespace(root, m->namespace);
	while ((slash = strrchr(path, '/')) != NULL) {
		*slash = '\0';
		if (strcmp(path, root) == 0 || unlinkat(d->root, path, AT_REMOVEDIR) == -1)
			break;
	}
	return 0;
}

int
cache_tree_mark_absent(struct cache_dir *d, int64_t namespace, const char *name, struct err *err)
{
	struct cache_absent *absent = &d->absent;
	struct mark *m = &absent->v[absent->next];
	char path[CACHE_PATH_SIZE];

	if (cache_path_absent(path, namespace, name, err) == -1)
		return -1;
	if (cache_dir_has(d, path))
		return 0;
	if (absent->n == CACHE_ABSENT_MAX && unmark(d, m, err) == -1)
		return -1;
	/* in the ring before it is made, so that no mark is beyond the limit */
	*m = (struct mark) { .namespace = namespace };
	memcpy(m->name, name, strlen(name) + 1);
	absent->next = (absent->next + 1) % CACHE_ABSENT_MAX;
	if (absent->n < CACHE_ABSENT_MAX)
		absent->n++;
	return put(d, path, slice_of("", 0), 0, err);
}
