#include "store/blob/blob_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/fault.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "store/blob/blob.h"
#include "store/blob/blob_dir.h"
#include "store/blob/blob_line.h"

enum { DIRECTORIES = 256 };

/* Checks a directory that files are renamed into: writable, and on the file system of the store. */
static int
check_dir(int root, const char *name, struct err *err)
{
	struct stat above, st;
	int fd, rc = 0;

	if (blob_dir_make(root, name, err) == -1 || blob_dir_open(root, name, &fd, err) == -1)
		return -1;
	if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == -1 || fstat(root, &above) == -1 ||
	    fstat(fd, &st) == -1)
		rc = err_disk(err, "blob store: check %s", name);
	else if (above.st_dev != st.st_dev)
		rc = err_internal(err, 500, "blob store: %s is on another file system", name);
	close(fd);
	return rc;
}

static int
files_check(const struct blob_store *store, struct err *err)
{
	int root, rc = -1;

	if (blob_dir_make(AT_FDCWD, store->dir, err) == -1 || blob_dir_open(AT_FDCWD, store->dir, &root, err) == -1)
		return -1;
	if (faccessat(root, ".", W_OK | X_OK, AT_EACCESS) == -1)
		err_disk(err, "blob store: check %s", store->dir);
	else if (check_dir(root, BLOB_STAGING, err) == 0 && check_dir(root, BLOB_TRASH, err) == 0 &&
	    check_dir(root, STORE_NODES, err) == 0)
		rc = 0;
	else
		err_context(err, "the store is %s", store->dir);
	close(root);
	return rc;
}

static struct blob_stat
stat_of(const struct stat *st)
{
	return (struct blob_stat) { st->st_size, st->st_mtime, S_ISREG(st->st_mode) };
}

static int
files_stat(const struct blob_store *store, struct arena *a, const char *key, struct blob_stat *out,
    struct err *err)
{
	const char *path = arena_printf(a, "%s/%s", store->dir, key);
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_disk(err, "blob store: stat %s", path);
	*out = stat_of(&st);
	return 1;
}

/* Opens the file, because a network file system may answer stat() from its memory. */
static int
files_open(const struct blob_store *store, struct arena *a, const char *key, int64_t max, int *fd,
    struct err *err)
{
	const char *path = arena_printf(a, "%s/%s", store->dir, key);

	(void)max;
	*fd = open(path, BLOB_OPEN);
	if (*fd != -1)
		return 1;
	return errno == ENOENT ? 0 : err_disk(err, "blob store: open %s", path);
}

/* ---- lists ---- */

struct walk {
	blob_each *each;
	void *arg;
	const char *prefix; /* of the names */
	size_t digits; /* bytes in a name */
};

/* A file that has gone away meanwhile is none. */
static int
walk_file(const struct walk *w, int dir, const char *name, struct err *err)
{
	struct blob_entry found = { .name = name };
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : err_sys(err, "blob store: stat %s", name);
	found.st = stat_of(&st);
	return w->each(w->arg, &found, err);
}

/* The files of one directory whose names are those of blobs, or of nodes.  1: stopped. */
static int
walk_files(const struct walk *w, const char *path, struct err *err)
{
	unsigned char digest[SHA256_SIZE];
	DIR *d = opendir(path);
	const char *name;
	int more = 0, rc = 0;

	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, "blob store: open %s", path);
	while (rc == 0 && (more = disk_next_name(d, &name)) == 1) {
		if (strncmp(name, w->prefix, strlen(w->prefix)) == 0 &&
		    hex_decode(slice_str(name), digest, w->digits))
			rc = walk_file(w, dirfd(d), name, err);
	}
	if (more == -1)
		rc = err_sys(err, "blob store: read %s", path);
	closedir(d);
	return rc;
}

/* STORE/ab/cd for each cd.  1: stopped. */
static int
walk_blobs(struct walk *w, struct arena *a, const char *dir, const char *first, struct err *err)
{
	const char *path = arena_printf(a, "%s/%s", dir, first);
	DIR *d = opendir(path);
	const char *second;
	unsigned char byte;
	int more = 0, rc = 0;

	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, "blob store: open %s", path);
	while (rc == 0 && (more = disk_next_name(d, &second)) == 1) {
		if (!hex_decode(slice_str(second), &byte, 1))
			continue;
		w->prefix = arena_printf(a, "%s%s", first, second);
		rc = walk_files(w, arena_printf(a, "%s/%s", path, second), err);
	}
	if (more == -1)
		rc = err_sys(err, "blob store: read %s", path);
	closedir(d);
	return rc;
}

static int
files_list(const struct blob_store *store, const char *under, blob_each *each, void *arg, struct err *err)
{
	struct walk w = { each, arg, "", SHA256_SIZE };
	struct arena *a = arena_new();
	int rc = 0;

	if (strcmp(under, STORE_NODES) == 0)
		w.digits = STORE_NODE_FILE_BYTES;
	if (strcmp(under, BLOB_TRASH) == 0 || strcmp(under, STORE_NODES) == 0)
		rc = walk_files(&w, arena_printf(a, "%s/%s", store->dir, under), err);
	else if (under[0] != '\0')
		rc = walk_blobs(&w, a, store->dir, under, err);
	else {
		for (unsigned i = 0; rc == 0 && i < DIRECTORIES; i++)
			rc = walk_blobs(&w, a, store->dir, arena_printf(a, "%02x", i), err);
	}
	arena_free(a);
	return rc == -1 ? -1 : 0;
}

/* ---- the trash ---- */

static int
files_trash(const struct blob_store *store, struct arena *a, const char *sha256, struct err *err)
{
	const char *path = arena_printf(a, "%s/%s", store->dir, blob_path(a, sha256));
	const char *trash = arena_printf(a, "%s/%s", store->dir, blob_trash_path(a, sha256));
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : err_disk(err, "blob store: stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_internal(err, 500, "blob store: %s is not a regular file", path);
	/* set the time first: in the trash it says when the file came there */
	if (FAULT_FAILS("collect", "trash") || utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) == -1 ||
	    rename(path, trash) == -1)
		return err_disk(err, "blob store: rename %s to " BLOB_TRASH, path);
	FAULT_POINT("collect", "trashed");
	return 0;
}

static int
sync_dir(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd == -1 || fsync(fd) == -1 ? err_disk(err, "blob store: fsync %s", path) : 0;

	if (fd != -1)
		close(fd);
	return rc;
}

/* The link never replaces a file that another process has put there; the name in the trash goes last. */
static int
files_untrash(const struct blob_store *store, struct arena *a, const char *sha256, struct err *err)
{
	const char *path = arena_printf(a, "%s/%s", store->dir, blob_path(a, sha256));
	const char *trash = arena_printf(a, "%s/%s", store->dir, blob_trash_path(a, sha256));
	const char *first = arena_printf(a, "%s/%.2s", store->dir, sha256);
	const char *second = arena_printf(a, "%s/%.2s", first, sha256 + 2);
	struct stat like;

	if (stat(store->dir, &like) == -1)
		return err_disk(err, "blob store: stat %s", store->dir);
	if (blob_dir_make_like(first, &like, err) == -1 || blob_dir_make_like(second, &like, err) == -1)
		return -1;
	if (utimensat(AT_FDCWD, trash, NULL, AT_SYMLINK_NOFOLLOW) == -1 ||
	    (link(trash, path) == -1 && errno != EEXIST))
		return err_disk(err, "blob store: link %s", path);
	if (sync_dir(second, err) == -1 || sync_dir(first, err) == -1 || sync_dir(store->dir, err) == -1)
		return -1;
	if (unlink(trash) == -1 && errno != ENOENT)
		return err_disk(err, "blob store: unlink %s", trash);
	return 0;
}

static int
files_remove(const struct blob_store *store, struct arena *a, const char *key, struct err *err)
{
	const char *path = arena_printf(a, "%s/%s", store->dir, key);

	return unlink(path) == -1 && errno != ENOENT ? err_disk(err, "blob store: unlink %s", path) : 0;
}

static int
files_read_line(const struct blob_store *store, const char *key, char *line, size_t size, struct err *err)
{
	return blob_line_read(store->dir, key, line, size, err);
}

static int
files_write_line(const struct blob_store *store, const char *key, const char *line, bool replace,
    struct err *err)
{
	return blob_line_write(store->dir, key, line, replace, err);
}

const struct blob_kind blob_files = {
	.dir_key = "store",
	.check = files_check,
	.stat = files_stat,
	.open = files_open,
	.list = files_list,
	.trash = files_trash,
	.untrash = files_untrash,
	.remove = files_remove,
	.read_line = files_read_line,
	.write_line = files_write_line,
};
