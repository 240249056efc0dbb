#include "store/blob/blob_line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/fault.h"
#include "store/blob/blob.h"

enum { FILE_MODE = 0666, DIR_MODE = 0777, NAME_MAX_SIZE = 320 };

static int
open_store(const char *store, struct err *err)
{
	int fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd == -1 ? err_disk(err, "store %s: open", store) : fd;
}

int
blob_line_read(const char *store, const char *name, char *line, size_t size, struct err *err)
{
	int root = open_store(store, err), fd;
	ssize_t n;

	if (root == -1)
		return -1;
	fd = openat(root, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	close(root);
	if (fd == -1)
		return errno == ENOENT ? 0 : err_disk(err, "store %s: open %s", store, name);
	n = TEMP_FAILURE_RETRY(read(fd, line, size - 1));
	close(fd);
	if (n == -1)
		return err_disk(err, "store %s: read %s", store, name);
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 1;
}

/* A root process gives what it makes to the owner of the store. */
static int
give(int root, int fd)
{
	struct stat st;

	return geteuid() == 0 && (fstat(root, &st) == -1 || fchown(fd, st.st_uid, st.st_gid) == -1) ? -1 : 0;
}

/* A store that was copied back from a backup has no staging. */
static int
make_staging(int root)
{
	int fd, rc;

	if (mkdirat(root, BLOB_STAGING, DIR_MODE) == -1)
		return errno == EEXIST ? 0 : -1;
	fd = openat(root, BLOB_STAGING, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return -1;
	rc = give(root, fd);
	close(fd);
	return rc;
}

static int
write_line(int root, int fd, const char *line)
{
	if (give(root, fd) == -1 || disk_write(fd, slice_str(line)) == -1 || disk_write(fd, slice_str("\n")) == -1)
		return -1;
	return FAULT_FAILS("store_file", "fsync") ? -1 : fsync(fd);
}

/* Gives the new file its name.  1: done, 0: the name is taken, -1: errno. */
static int
put(int root, const char *aside, const char *name, bool replace)
{
	if (replace)
		return renameat(root, aside, root, name) == -1 ? -1 : 1;
	if (linkat(root, aside, root, name, 0) == -1)
		return errno == EEXIST ? 0 : -1;
	return 1;
}

int
blob_line_write(const char *store, const char *name, const char *line, bool replace, struct err *err)
{
	char random[BLOB_STAGING_NAME_SIZE], aside[NAME_MAX_SIZE];
	int root, fd = -1, rc = -1;

	if (blob_staging_name(random, err) == -1 || (root = open_store(store, err)) == -1)
		return -1;
	/* the task sweep_staging removes a file that a crash leaves there */
	snprintf(aside, sizeof(aside), "%s/%s", BLOB_STAGING, random);
	if (make_staging(root) == 0)
		fd = openat(root, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd != -1 && write_line(root, fd, line) == 0)
		rc = put(root, aside, name, replace);
	if (rc == 1 && fsync(root) == -1)
		rc = -1;
	if (rc == -1)
		err_disk(err, "store %s: write %s", store, name);
	if (fd != -1) {
		(void)unlinkat(root, aside, 0);
		close(fd);
	}
	close(root);
	return rc;
}
