#include "base/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"

int
daemon_prepare(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* the lowest that is free; a write to it fails with EBADF, as before */
		if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDONLY) == -1)
			return -1;
	}
	return signal(SIGCHLD, SIG_DFL) == SIG_ERR ? -1 : 0;
}

/* Does the path still lead to the open file?  The process that had it before removes it when it ends. */
static bool
is_file_of(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_dev == named.st_dev &&
	    opened.st_ino == named.st_ino;
}

/* Says who has locked the file; the kernel knows no number of a process in another namespace. */
static void
refuse_locked(int fd, const char *path, struct err *err)
{
	struct flock holder = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_GETLK, &holder) == -1 || holder.l_type == F_UNLCK || holder.l_pid <= 0)
		err_internal(err, 500, "another process is running: %s is locked", path);
	else
		err_internal(err, 500, "another process is running: process %d has locked %s; stop it first, or start "
		    "this one with another configuration", (int)holder.l_pid, path);
}

/* Opens the file and locks it.  -1: err. */
static int
open_locked(const char *path, struct err *err)
{
	for (;;) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

		if (fd == -1)
			return err_sys(err, "cannot open %s", path);
		FAULT_POINT("pid_file", "opened");
		if (fcntl(fd, F_SETLK, &lock) == -1) {
			if (errno == EAGAIN || errno == EACCES)
				refuse_locked(fd, path, err);
			else
				err_sys(err, "cannot lock %s", path);
			close(fd);
			return -1;
		}
		if (is_file_of(fd, path))
			return fd;
		close(fd);
	}
}

int
daemon_pid_file(const char *path, int *fd, struct err *err)
{
	*fd = open_locked(path, err);
	if (*fd == -1)
		return -1;
	if (ftruncate(*fd, 0) == 0 && dprintf(*fd, "%d\n", (int)getpid()) >= 0)
		return 0;
	err_sys(err, "cannot write %s", path);
	close(*fd);
	*fd = -1;
	return -1;
}

int
daemon_protect(bool traceable)
{
	const struct rlimit none = { 0, 0 };

	if (traceable)
		return 0;
	if (prctl(PR_SET_DUMPABLE, 0) == -1)
		return -1;
	return setrlimit(RLIMIT_CORE, &none);
}

void
daemon_pid_file_remove(const char *path, int fd)
{
	if (fd == -1)
		return;
	/* while it is still locked: it cannot be the file of a successor */
	unlink(path);
	close(fd);
}
