#include "transfer/export_gone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/sha256.h"
#include "crate/crate_name.h"
#include "crate/semver.h"
#include "store/blob/blob.h"
#include "transfer/import_files.h"
#include "transfer/import_source.h"

enum { INDEX_FILE_MAX = 64 << 20 };

/* The state of a removal. */
struct passage {
	int root;
	const char *dir, *unfinished;
	size_t *removed;
};

/* A version that a line of an index names. */
struct named {
	const char *name, *version, *cksum;
};

struct names {
	struct named *v;
	size_t n;
};

static int
compare(const void *left, const void *right)
{
	const struct named *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order != 0 ? order : strcmp(a->version, b->version);
}

/* Reads a line.  False: no export has written it, or it is cut short. */
static bool
read_line(struct arena *a, struct slice line, struct named *out)
{
	static const char what[] = "a line of the index";
	struct err wrong = { 0 };
	struct json_get get = { NULL, what, &wrong };
	unsigned char digest[SHA256_SIZE];
	struct semver semver;

	return json_parse(a, line, what, &get.obj, &wrong) == 0 &&
	    json_get_str(&get, "name", true, &out->name) == 0 &&
	    json_get_str(&get, "vers", true, &out->version) == 0 &&
	    json_get_str(&get, "cksum", true, &out->cksum) == 0 &&
	    hex_decode(slice_str(out->cksum), digest, sizeof(digest)) &&
	    crate_name_check(slice_str(out->name), "crate", &wrong) == 0 &&
	    semver_parse(slice_str(out->version), &semver, &wrong) == 0;
}

/* The versions in the text of an index file, sorted. */
static struct names
parse(struct arena *a, struct slice rest)
{
	struct names names = { .n = 0 };
	size_t lines = 1;

	for (size_t i = 0; i < rest.n; i++)
		lines += rest.p[i] == '\n';
	names.v = arena_calloc(a, lines, sizeof(*names.v));
	while (rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p), used = n + (end != NULL);

		names.n += read_line(a, slice_of(rest.p, n), &names.v[names.n]);
		rest = slice_of(rest.p + used, rest.n - used);
	}
	if (names.n > 1)
		qsort(names.v, names.n, sizeof(*names.v), compare);
	return names;
}

/* Reads a file of an index.  A missing file counts as an empty one. */
static int
read_index(const struct passage *p, struct arena *a, const char *index, const char *path, struct slice *text,
    struct err *err)
{
	const char *below = arena_printf(a, "%s/%s", index, path);

	*text = slice_str("");
	if (faccessat(p->root, below, F_OK, AT_SYMLINK_NOFOLLOW) == -1 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	return import_source_read(a, arena_printf(a, "%s/%s", p->dir, below), INDEX_FILE_MAX, text, err);
}

static int
cannot(struct err *err, const char *what, const char *path)
{
	return err_set(err, 400, "cannot %s %s: %s", what, path, strerrordesc_np(errno));
}

static int
remove_crate(const struct passage *p, struct arena *a, const struct named *gone, struct err *err)
{
	const char *folder = arena_printf(a, "crates/%s", gone->name);
	const char *file = arena_printf(a, "%s-%s.crate", gone->name, gone->version);
	int crate = openat(p->root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), rc = 0;

	if (crate == -1)
		return 0;
	/* a copy that was killed */
	unlinkat(crate, arena_printf(a, ".%s", gone->cksum), 0);
	if (blob_is_sound_at(crate, file, gone->cksum)) {
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
	struct slice text, served, unfinished = slice_str("");
	struct names old, keep[2];

	if (read_index(p, a, EXPORT_REPLACED, path, &text, err) == -1 ||
	    read_index(p, a, EXPORT_INDEX, path, &served, err) == -1 ||
	    (p->unfinished != NULL && read_index(p, a, p->unfinished, path, &unfinished, err) == -1))
		return -1;
	if (slice_equal(text, served))
		return 0;
	old = parse(a, text);
	keep[0] = parse(a, served);
	keep[1] = parse(a, unfinished);
	for (size_t i = 0; i < old.n; i++) {
		bool kept = false;

		for (size_t k = 0; k < sizeof(keep) / sizeof(*keep); k++)
			kept = kept || bsearch(&old.v[i], keep[k].v, keep[k].n, sizeof(*old.v), compare) != NULL;
		if (!kept && remove_crate(p, a, &old.v[i], err) == -1)
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
	struct dirent *entry;

	if (d == NULL) {
		cannot(err, "read the directory", name);
		if (fd != -1)
			close(fd);
		return -1;
	}
	if (depth > IMPORT_DEPTH_MAX)
		rc = err_set(err, 400, "%s is more than %d directories below the first", path, IMPORT_DEPTH_MAX);
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = take_entry(p, a, dirfd(d), entry->d_name, path, depth, err);
	}
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
