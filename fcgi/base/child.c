#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum {
	PIECE = 16 * 1024,
	NICE = 10 /* a tenth of the CPU time, where somebody else wants it */
};

static int
spawn(const char *const *argv, int stdin_fd, int stdout_fd, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *const environment[] = { NULL };
	sigset_t none;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, stdin_fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, stdout_fd, STDOUT_FILENO);
	/* libfcgi and libpq do not promise close-on-exec for what they open */
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawn(pid, argv[0], &actions, &attr, (char *const *)(uintptr_t)argv, environment);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* Reads until end of file.  -1: err. */
static int
read_all(int fd, struct buf *out, char *piece, int64_t deadline_us, struct err *err)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline_us - clock_us();
		ssize_t n;

		if (left <= 0)
			return err_internal(err, 503, "child did not finish in time");
		if (poll(&p, 1, (int)(left / 1000) + 1) <= 0)
			continue;
		n = read(fd, piece, PIECE);
		if (n == 0)
			return 0;
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			return err_sys(err, "read from child");
		if (n > 0)
			buf_put(out, piece, (size_t)n);
		if (buf_full(out))
			return err_internal(err, 500, "child says more than %zu bytes", out->max);
	}
}

/* It has closed its output and so should end at once; one that does not is not waited for. */
static bool
ends_in_time(pid_t pid, int64_t deadline_us)
{
	struct pollfd p = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int64_t left = deadline_us - clock_us();
	int n;

	if (p.fd == -1)
		return false;
	n = poll(&p, 1, left > 0 ? (int)(left / 1000) + 1 : 0);
	close(p.fd);
	return n == 1;
}

int
child_run(struct arena *a, const char *const *argv, int stdin_fd, size_t max_output,
    int64_t deadline_us, struct child_result *result, struct err *err)
{
	struct buf out;
	int fds[2], rc;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return err_sys(err, "pipe");
	rc = spawn(argv, stdin_fd, fds[1], &pid);
	close(fds[1]);
	if (rc != 0) {
		close(fds[0]);
		return err_internal(err, 500, "cannot start %s: %s", argv[0], strerrordesc_np(rc));
	}
	/* where this fails the child has ended already */
	(void)setpriority(PRIO_PROCESS, (id_t)pid, NICE);
	buf_init(&out, a, max_output);
	rc = read_all(fds[0], &out, arena_alloc(a, PIECE), deadline_us, err);
	close(fds[0]);
	if (rc == -1 || !ends_in_time(pid, deadline_us))
		kill(pid, SIGKILL);
	while (waitpid(pid, &result->status, 0) == -1 && errno == EINTR)
		continue;
	result->output = buf_slice(&out);
	return rc;
}
