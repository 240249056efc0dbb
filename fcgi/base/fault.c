#include "base/fault.h"

#ifdef BERTH_SANITIZED

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

enum { LINE_SIZE = 128, LOOK_MS = 5 };

static const struct {
	const char *action;
	int number;
} errors[] = {
	{ "edquot", EDQUOT },
	{ "eio", EIO },
	{ "emfile", EMFILE },
	{ "enospc", ENOSPC },
	{ "erofs", EROFS },
};

/* BERTH_FAULT, read once; NULL: nothing is ever armed. */
static const char *
fault_file(void)
{
	static const char *path;
	static bool known;

	if (!known)
		path = getenv("BERTH_FAULT");
	known = true;
	return path;
}

/* The line that is there now, in two words.  false: none. */
static bool
read_line(const char *path, char point[LINE_SIZE], char action[LINE_SIZE])
{
	char line[LINE_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return false;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return false;
	line[n] = '\0';
	return sscanf(line, "%127s %127s", point, action) == 2;
}

static void
trace(const char *path, const char *name)
{
	char file[PATH_MAX];
	int fd;

	snprintf(file, sizeof(file), "%s.trace", path);
	fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd == -1)
		return;
	dprintf(fd, "%s\n", name);
	close(fd);
}

static void
hold(const char *path)
{
	char file[PATH_MAX];
	int fd;

	snprintf(file, sizeof(file), "%s.%d", path, (int)getpid());
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd == -1)
		return;
	close(fd);
	while (access(file, F_OK) == 0)
		(void)poll(NULL, 0, LOOK_MS);
}

/* True: errno is set. */
static bool
act(const char *action, const char *taken)
{
	if (strcmp(action, "kill") == 0)
		raise(SIGKILL);
	if (strcmp(action, "wait") == 0) {
		while (access(taken, F_OK) == 0)
			(void)poll(NULL, 0, LOOK_MS);
	}
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (strcmp(action, errors[i].action) == 0) {
			errno = errors[i].number;
			return true;
		}
	}
	return false;
}

bool
fault_point(const char *step, const char *what)
{
	const char *path = fault_file();
	char name[LINE_SIZE], point[LINE_SIZE], action[LINE_SIZE], taken[PATH_MAX], next[PATH_MAX];
	int saved = errno;

	if (path == NULL || !read_line(path, point, action)) {
		errno = saved;
		return false;
	}
	snprintf(name, sizeof(name), "%s:%s", step, what);
	snprintf(taken, sizeof(taken), "%s.taken", path);
	snprintf(next, sizeof(next), "%s.next", path);
	if (strcmp(action, "trace") == 0)
		trace(path, name);
	else if (strcmp(action, "hold") == 0 && strcmp(point, name) == 0)
		hold(path);
	/* of several processes that come here the one whose rename succeeds acts */
	else if (strcmp(point, name) == 0 && rename(path, taken) == 0) {
		(void)rename(next, path);
		if (act(action, taken))
			return true;
	}
	errno = saved;
	return false;
}

#endif
