#include "transfer/export_gone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "crate/crate_name.h"
#include "store/blob/blob.h"
#include "transfer/export_index.h"
#include "transfer/import_files.h"

/* The state of a removal. */
struct passage {
	int root;
	const char *dir, *unfinished;
	size_t *removed;
};

static int
cannot(struct err *err, const char *what, const char *path)
{
	return err_set(err, 400, "cannot %s %s: %s", what, path, strerrordesc_np(errno));
}

/* Removes what a killed copy of the crate has left, and, unless the crate is kept, the crate. */
static int
remove_crate(const struct passage *p, struct arena *a, const struct export_named *gone, bool is_kept,
    struct err *err)
{
	const char *folder = arena_printf(a, "crates/%s", gone->name);
	const char *file = arena_printf(a, "%s-%s.crate", gone->name, gone->version);
	int crate = openat(p->root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), rc = 0;

	if (crate == -1)
		return 0;
	unlinkat(crate, arena_printf(a, ".%s", gone->cksum), 0);
	if (!is_kept && blob_is_sound_at(crate, file, gone->cksum)) {
		rc = unlinkat(crate, file, 0);
		if (rc == -1)
			cannot(err, "remove", arena_printf(a, "%s/%s", folder, file));
		*p->removed += rc == 0;
	}
	close(crate);
	if (rc == 0 && unlinkat(p->root, folder, AT_REMOVEDIR) == -1 && errno != ENOTEMPTY && errno != EEXIST)
		return cannot(err, "remove", folder);
	return rc;
}

/* Removes the crates of an index file, except those that are served or will be. */
static int
remove_crates(const struct passage *p, struct arena *a, const char *path, struct err *err)
{
	const char *const indexes[] = { EXPORT_INDEX, p->unfinished };
	struct slice text, served = slice_str("");
	struct export_names old, keep[2] = { { .n = 0 } };

	if (export_index_read(a, p->root, p->dir, EXPORT_REPLACED, path, &text, err) == -1)
		return -1;
	for (size_t k = 0; k < 2; k++) {
		if (indexes[k] == NULL)
			continue;
		if (export_index_read(a, p->root, p->dir, indexes[k], path, &served, err) == -1)
			return -1;
		if (slice_equal(text, served))
			return 0;
		keep[k] = export_index_parse(a, served);
	}
	old = export_index_parse(a, text);
	for (size_t i = 0; i < old.n; i++) {
		const struct export_named *v = &old.v[i];
		bool is_kept = export_names_find(&keep[0], v->name, v->version) != NULL ||
		    export_names_find(&keep[1], v->name, v->version) != NULL;

		if (remove_crate(p, a, v, is_kept, err) == -1)
			return -1;
	}
	return 0;
}

/* Somebody else's file moves to the same place in the index that is served, unless that is taken. */
static int
hand_over(const struct passage *p, struct arena *a, const char *path, struct err *err)
{
	const char *from = arena_printf(a, EXPORT_REPLACED "/%s", path);
	const char *to = arena_printf(a, EXPORT_INDEX "/%s", path);

	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		const char *parent = arena_printf(a, EXPORT_INDEX "/%.*s", (int)(slash - path), path);

		if (mkdirat(p->root, parent, 0777) == -1 && errno != EEXIST)
			return cannot(err, "make the directory", parent);
	}
	return renameat2(p->root, from, p->root, to, RENAME_NOREPLACE) == 0 ? 0 :
	    err_set(err, 400, "no export has written %s/%s; move it elsewhere: %s", p->dir, from,
	        strerrordesc_np(errno));
}

/* Has an export written this file of an index? */
static bool
is_own(struct arena *a, const char *path, const char *name, mode_t mode)
{
	struct err wrong = { 0 };

	if (!S_ISREG(mode))
		return false;
	return strcmp(path, "config.json") == 0 || (crate_name_check(slice_str(name), "crate", &wrong) == 0 &&
	    strcmp(path, crate_name_index_path(a, slice_str(name))) == 0);
}

static int
take_file(const struct passage *p, int dir, const char *path, const char *name, mode_t mode, struct err *err)
{
	struct arena *a = arena_new();
	int rc;

	if (!is_own(a, path, name, mode)) {
		rc = hand_over(p, a, path, err);
	} else {
		rc = strcmp(path, "config.json") == 0 ? 0 : remove_crates(p, a, path, err);
		if (rc == 0 && unlinkat(dir, name, 0) == -1)
			rc = cannot(err, "remove", arena_printf(a, EXPORT_REPLACED "/%s", path));
	}
	arena_free(a);
	return rc;
}

static int enter(const struct passage *, struct arena *, int parent, const char *name, const char *path,
    int depth, struct err *);

static int
take_entry(const struct passage *p, struct arena *a, int dir, const char *name, const char *path, int depth,
    struct err *err)
{
	const char *below = path[0] == '\0' ? arena_strdup(a, name) : arena_printf(a, "%s/%s", path, name);
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return cannot(err, "read", below);
	if (!S_ISDIR(st.st_mode))
		return take_file(p, dir, below, name, st.st_mode, err);
	if (enter(p, a, dir, name, below, depth + 1, err) == -1)
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR) == 0 ? 0 : cannot(err, "remove", below);
}

/* All that is in a directory; path: from the index. */
static int
enter(const struct passage *p, struct arena *a, int parent, const char *name, const char *path, int depth,
    struct err *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), rc = 0;
	DIR *d = fd == -1 ? NULL : fdopendir(fd);
	const char *below;
	int more = 0;

	if (d == NULL) {
		cannot(err, "read the directory", name);
		if (fd != -1)
			close(fd);
		return -1;
	}
	if (depth > IMPORT_DEPTH_MAX)
		rc = err_set(err, 400, "%s is more than %d directories below the first", path, IMPORT_DEPTH_MAX);
	while (rc == 0 && (more = disk_next_name(d, &below)) == 1)
		rc = take_entry(p, a, dirfd(d), below, path, depth, err);
	if (more == -1)
		rc = cannot(err, "read the directory", name);
	closedir(d);
	return rc;
}

int
export_gone_remove(struct arena *a, int root, const char *dir, const char *unfinished, size_t *removed,
    struct err *err)
{
	const struct passage p = { root, dir, unfinished, removed };
	struct stat st;

	if (fstatat(root, EXPORT_REPLACED, &st, AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT)
		return 0;
	if (enter(&p, a, root, EXPORT_REPLACED, "", 0, err) == -1)
		return -1;
	return unlinkat(root, EXPORT_REPLACED, AT_REMOVEDIR) == 0 ? 0 : cannot(err, "remove", EXPORT_REPLACED);
}
