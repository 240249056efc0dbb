/* store/blob/blob_files, store/package/fsck_source: what a disk with errors hides is not missing. */
#include "store/package/fsck_source.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remove_tree.h"
#include "store/blob/blob.h"
#include "store/blob/blob_store.h"
#include "tap.h"

static const char sha256[] = "abcd000000000000000000000000000000000000000000000000000000000000";
static int stat_error, open_error; /* 0: none */

/* Replace the functions of the C library: only a disk with errors has them. */
int
fstatat(int dir, const char *restrict name, struct stat *restrict st, int flags)
{
	int (*real)(int, const char *, struct stat *, int) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "fstatat");
	errno = stat_error;
	return stat_error != 0 ? -1 : real(dir, name, st, flags);
}

DIR *
opendir(const char *path)
{
	DIR *(*real)(const char *) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "opendir");
	errno = open_error;
	return open_error != 0 ? NULL : real(path);
}

static int
count(void *arg, const struct blob_entry *entry, struct err *err)
{
	int *n = arg;

	(void)entry;
	(void)err;
	++*n;
	return 0;
}

static void
lists(const struct blob_store *store, int error, int rc, int files, const char *what)
{
	struct err err = { 0 };
	int n = 0;

	stat_error = error;
	is_int(store->kind->list(store, "", count, &n, &err), rc, what);
	is_int(n, files, "  files");
	ok(rc == 0 || strstr(err.detail, "Input/output error") != NULL, "  says why: %s", err.detail);
	stat_error = 0;
}

static void
test_source(struct arena *a, const struct blob_store *store, const char *dir)
{
	struct fsck f = { .store = store, .from = dir, .arena = a };
	struct err err = { 0 };
	bool found;

	is_int(fsck_source_bring(&f, a, sha256, 1, &found, &err), 0, "a source without the blob");
	open_error = EIO;
	is_int(fsck_source_bring(&f, a, sha256, 1, &found, &err), -1, "one that cannot be read");
	ok(strstr(err.detail, "Input/output error") != NULL, "  says why: %s", err.detail);
	open_error = 0;
}

int
main(void)
{
	char dir[] = "/tmp/berth-blob-files-XXXXXX";
	struct arena *a = arena_new();
	const struct blob_store *store;
	struct err err = { 0 };
	int fd;

	if (mkdtemp(dir) == NULL)
		return 1;
	store = blob_store_new(a, dir, "", NULL);
	is_int(store->kind->check(store, &err), 0, "a store");
	mkdir(arena_printf(a, "%s/ab", dir), 0700);
	mkdir(arena_printf(a, "%s/ab/cd", dir), 0700);
	fd = open(arena_printf(a, "%s/%s", dir, blob_path(a, sha256)), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ok(fd != -1 && close(fd) == 0, "with a blob");
	lists(store, 0, 0, 1, "a list");
	lists(store, ENOENT, 0, 0, "a file that goes away meanwhile");
	lists(store, EIO, -1, 0, "a file that cannot be looked at");
	test_source(a, store, dir);
	remove_tree(dir);
	arena_free(a);
	return tap_done();
}
