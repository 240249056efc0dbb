#include "config/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECOND_MS = 1000 };

/* 0 or an error number. */
static int
spawn(const char *command, int ms, int output, pid_t *pid)
{
	/* the child must not hold up the program that asks: `timeout` ends it, and what it has started */
	static const char run[] = "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; "
				  "exec timeout -k 1 \"$1\" sh -c \"$0\"";
	char seconds[16];
	const char *argv[] = { "sh", "-c", run, command, seconds, NULL };
	posix_spawn_file_actions_t actions;
	int rc;

	snprintf(seconds, sizeof(seconds), "%d.%03d", ms / SECOND_MS, ms % SECOND_MS);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	rc = posix_spawn(pid, "/bin/sh", &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* Reads to the end; what does not fit is dropped. */
static void
read_text(int fd, char *text, size_t size)
{
	char more[512];
	size_t n = 0;

	for (;;) {
		bool fits = n < size - 1;
		ssize_t got = fits ? read(fd, text + n, size - 1 - n) : read(fd, more, sizeof(more));

		if (got == 0 || (got == -1 && errno != EINTR))
			break;
		if (fits && got > 0)
			n += (size_t)got;
	}
	text[n] = '\0';
}

/* status: of waitpid(2), and not 0. */
static int
fail(const char *command, int ms, int status, const char *text, struct err *err)
{
	enum { TIMED_OUT = 124, SIGNALLED = 128 }; /* of timeout(1) and the shell */
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
	int n = (int)strcspn(text, "\n");

	if (code == TIMED_OUT || code == SIGNALLED + SIGKILL)
		return err_internal(err, 500, "cannot run `%s`: it does not end within %d ms", command, ms);
	if (n == 0)
		return err_internal(err, 500, "cannot run `%s`: it exits with status %d", command, code);
	return err_internal(err, 500, "cannot run `%s`: %.*s", command, n, text);
}

int
command_output(const char *command, int ms, char *text, size_t size, struct err *err)
{
	int output[2], status = 0, rc;
	pid_t pid = 0;

	if (pipe2(output, O_CLOEXEC) == -1)
		return err_sys(err, "cannot run `%s`", command);
	rc = spawn(command, ms, output[1], &pid);
	close(output[1]);
	if (rc == 0) {
		read_text(output[0], text, size);
		(void)TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
	}
	close(output[0]);
	if (rc != 0)
		return err_internal(err, 500, "cannot run `%s`: %s", command, strerrordesc_np(rc));
	return status == 0 ? 0 : fail(command, ms, status, text, err);
}
