#include "store/blob/blob_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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
blob_dir_make_like(const char *path, const struct stat *like, struct err *err)
{
	bool made = mkdir(path, S_IRWXU) == 0;
	int fd, rc = 0;

	if (!made && errno != EEXIST)
		return err_disk(err, "blob store: mkdir %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return err_disk(err, "blob store: open directory %s", path);
	if (made && ((geteuid() == 0 && fchown(fd, like->st_uid, like->st_gid) == -1) ||
	    fchmod(fd, like->st_mode & (S_IRWXU | S_IRWXG | S_IRWXO | S_ISGID)) == -1))
		rc = err_disk(err, "blob store: set the mode of %s", path);
	close(fd);
	return rc;
}

int
blob_dir_open(int at, const char *path, int *fd, struct err *err)
{
	*fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd == -1 ? err_disk(err, "blob store: open directory %s", path) : 0;
}

int
blob_dir_unnamed(struct arena *a, const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_TMPFILE | O_CLOEXEC, S_IRUSR | S_IWUSR);
	char *name;

	if (fd != -1)
		return fd;
	/* some file systems do not support O_TMPFILE */
	name = arena_printf(a, "%s/.unnamed-XXXXXX", path);
	fd = errno == EOPNOTSUPP || errno == EISDIR ? mkostemp(name, O_CLOEXEC) : -1;
	if (fd == -1)
		return err_disk(err, "create a file in %s", path);
	(void)unlink(name);
	return fd;
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
