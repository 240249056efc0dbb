#include "store/blob/blob_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"

/* Modes are left to the umask: nginx must be able to read what we write. */
enum { DIR_MODE = 0777 };

int
blob_error(struct err *err, const char *what)
{
	return err_disk(err, "blob store: %s", what);
}

void
blob_fd_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

int
blob_dir_make(int at, const char *path, struct err *err)
{
	if (FAULT_FAILS("blob", "mkdir") ||
	    (mkdirat(at, path, DIR_MODE) == -1 && errno != EEXIST))
		return err_disk(err, "blob store: mkdir %s", path);
	return 0;
}

int
blob_dir_open(int at, const char *path, int *fd, struct err *err)
{
	*fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd == -1 ? err_disk(err, "blob store: open directory %s", path) : 0;
}

int
blob_dir_sync(int at, const char *path, struct err *err)
{
	int fd, rc = 0;

	if (blob_dir_open(at, path, &fd, err) == -1)
		return -1;
	if (FAULT_FAILS("blob", "fsync_dir") || fsync(fd) == -1)
		rc = err_disk(err, "blob store: fsync directory %s", path);
	close(fd);
	return rc;
}
