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
	NICE = 10 /* a tenth of the CPU time while others need it */
};

/* One of the two outputs of a child. */
struct stream {
	int fd; /* -1: the output has ended */
	struct buf buf;
	bool cut; /* true: drops bytes beyond the limit; false: they are an error */
};

static int
spawn(const char *const *argv, int stdin_fd, int stdout_fd, int stderr_fd, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *const environment[] = { NULL };
	sigset_t none;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, stdin_fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, stdout_fd, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, stderr_fd, STDERR_FILENO);
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

static void
stream_close(struct stream *s)
{
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
}

/* Reads the bytes that have arrived.  -1: err. */
static int
stream_read(struct stream *s, char *piece, struct err *err)
{
	ssize_t n = read(s->fd, piece, PIECE);
	size_t room = s->buf.max - s->buf.n;

	if (n == -1)
		return errno == EINTR || errno == EAGAIN ? 0 : err_sys(err, "read from child");
	if (n == 0)
		stream_close(s);
	else if (s->cut && (size_t)n > room)
		buf_put(&s->buf, piece, room);
	else
		buf_put(&s->buf, piece, (size_t)n);
	if (buf_full(&s->buf))
		return err_internal(err, 500, "the child writes more than %zu bytes", s->buf.max);
	return 0;
}

/* Reads both outputs until they end.  -1: err. */
static int
read_all(struct stream s[2], char *piece, int64_t deadline_us, struct err *err)
{
	while (s[0].fd != -1 || s[1].fd != -1) {
		struct pollfd p[2] = { { .fd = s[0].fd, .events = POLLIN },
			{ .fd = s[1].fd, .events = POLLIN } };
		int64_t left = deadline_us - clock_us();

		if (left <= 0)
			return err_internal(err, 503, "child did not finish in time");
		if (poll(p, 2, (int)(left / 1000) + 1) <= 0)
			continue;
		for (size_t i = 0; i < 2; i++) {
			if (p[i].revents != 0 && stream_read(&s[i], piece, err) == -1)
				return -1;
		}
	}
	return 0;
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

/* Makes two pipes, and the readers at their ends. */
static int
streams_open(struct arena *a, size_t max_output, struct stream s[2], int ends[2], struct err *err)
{
	int out[2], errors[2];

	if (pipe2(out, O_CLOEXEC) == -1)
		return err_sys(err, "pipe");
	if (pipe2(errors, O_CLOEXEC) == -1) {
		err_sys(err, "pipe");
		close(out[0]);
		close(out[1]);
		return -1;
	}
	s[0] = (struct stream) { .fd = out[0] };
	s[1] = (struct stream) { .fd = errors[0], .cut = true };
	buf_init(&s[0].buf, a, max_output);
	buf_init(&s[1].buf, a, CHILD_ERRORS_MAX);
	ends[0] = out[1];
	ends[1] = errors[1];
	return 0;
}

int
child_run(struct arena *a, const char *const *argv, int stdin_fd, size_t max_output,
    int64_t deadline_us, struct child_result *result, struct err *err)
{
	struct stream s[2] = { { .fd = -1 }, { .fd = -1 } };
	int ends[2] = { -1, -1 }, rc;
	pid_t pid;

	*result = (struct child_result) { .output = slice_str(""), .errors = slice_str("") };
	if (streams_open(a, max_output, s, ends, err) == -1)
		return -1;
	rc = spawn(argv, stdin_fd, ends[0], ends[1], &pid);
	close(ends[0]);
	close(ends[1]);
	if (rc != 0) {
		stream_close(&s[0]);
		stream_close(&s[1]);
		return err_internal(err, 500, "cannot start %s: %s", argv[0], strerrordesc_np(rc));
	}
	/* this fails only if the child has ended */
	(void)setpriority(PRIO_PROCESS, (id_t)pid, NICE);
	rc = read_all(s, arena_alloc(a, PIECE), deadline_us, err);
	stream_close(&s[0]);
	stream_close(&s[1]);
	if (rc == -1 || !ends_in_time(pid, deadline_us))
		kill(pid, SIGKILL);
	while (waitpid(pid, &result->status, 0) == -1 && errno == EINTR)
		continue;
	result->output = buf_slice(&s[0].buf);
	result->errors = buf_slice(&s[1].buf);
	return rc;
}
