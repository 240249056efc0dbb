#include "store/blob/blob_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/blob/blob.h"
#include "store/blob/blob_dir.h"
#include "store/blob/blob_stage.h"

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
		rc = err_internal(err, 500, "blob store: %s lies on another file system", name);
	close(fd);
	return rc;
}

int
blob_store_check(const char *store, struct err *err)
{
	int root, rc = -1;

	if (blob_dir_make(AT_FDCWD, store, err) == -1 || blob_dir_open(AT_FDCWD, store, &root, err) == -1)
		return -1;
	if (faccessat(root, ".", W_OK | X_OK, AT_EACCESS) == -1)
		err_disk(err, "blob store: check %s", store);
	else if (check_dir(root, BLOB_STAGING, err) == 0 && check_dir(root, BLOB_TRASH, err) == 0 &&
	    check_dir(root, STORE_NODES, err) == 0)
		rc = 0;
	else
		err_context(err, "the store is %s", store);
	close(root);
	return rc;
}

/* The directory that the path is in. */
static void
write_parent(const char *path, char out[PATH_MAX])
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	snprintf(out, PATH_MAX, "%.*s", n > 0 ? (int)n : 1, n > 0 ? path : ".");
}

int
blob_store_test(const char *store, struct err *err)
{
	char parent[PATH_MAX];

	if (access(store, W_OK | X_OK) == 0)
		return 0;
	if (errno != ENOENT)
		return err_sys(err, "store: cannot write to %s", store);
	write_parent(store, parent);
	return access(parent, W_OK | X_OK) == 0 ? 0 :
	    err_sys(err, "store: %s does not exist, and cannot be made in %s", store, parent);
}

int
blob_store_probe(struct arena *a, const char *store, bool write, struct err *err)
{
	static const char block[512];
	struct blob_staging *probe;
	int fd;

	if (!write) {
		if (blob_dir_open(AT_FDCWD, store, &fd, err) == -1)
			return -1;
		close(fd);
		return 0;
	}
	if (blob_stage(a, store, &probe, err) == -1)
		return -1;
	/* a full disk lets a file be made, but nothing be written to it */
	return blob_stage_write(probe, slice_of(block, sizeof(block)), err);
}

int
blob_store_free(const char *store, int64_t *bytes, struct err *err)
{
	struct statvfs fs;

	if (statvfs(store, &fs) == -1)
		return blob_error(err, "statvfs");
	*bytes = (int64_t)(fs.f_bavail * fs.f_frsize);
	return 0;
}
