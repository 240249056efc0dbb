#include "pool/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The names that ps(1) shows. */
static const char *const roles[ROLE__MAX] = {
	[ROLE_READER] = "berth-fcgi: read worker",
	[ROLE_WRITER] = "berth-fcgi: write worker",
	[ROLE_KEEPER] = "berth-fcgi: keeper",
};

/* The numbers, in the order in which they are passed. */
static const struct {
	size_t offset;
	bool fd;
} numbers[] = {
	{ offsetof(struct handover, master), false },
	{ offsetof(struct handover, number), false },
	{ offsetof(struct handover, children), false },
	{ offsetof(struct handover, log_level), false },
	{ offsetof(struct handover, settings_fd), true },
	{ offsetof(struct handover, scoreboard_fd), true },
	{ offsetof(struct handover, metrics_fd), true },
	{ offsetof(struct handover, slots_fd), true },
	{ offsetof(struct handover, memory_fd), true },
	{ offsetof(struct handover, listen_fd), true },
	{ offsetof(struct handover, log_fd), true },
};

enum {
	NNUMBERS = sizeof(numbers) / sizeof(*numbers),
	NARGS = 1 + NNUMBERS + 1, /* the role and the log's path around them */
	NUMBER_SIZE = 12
};

static int *
number_of(struct handover *h, size_t i)
{
	return (int *)(void *)((char *)h + numbers[i].offset);
}

int
handover_program(void)
{
	/* the running program, whatever happens to the file of its name */
	return open("/proc/self/exe", O_PATH | O_CLOEXEC);
}

/* Keeps these descriptors open for the child.  All others are closed on exec. */
static int
pass_descriptors(posix_spawn_file_actions_t *actions, struct handover *h)
{
	for (size_t i = 0; i < NNUMBERS; i++) {
		int fd = *number_of(h, i);
		/* dup onto itself: that clears close-on-exec */
		int rc = numbers[i].fd && fd != -1 ? posix_spawn_file_actions_adddup2(actions, fd, fd) : 0;

		if (rc != 0)
			return rc;
	}
	return 0;
}

int
handover_spawn(int program, const struct handover *given, pid_t *pid)
{
	struct handover h = *given;
	posix_spawn_file_actions_t actions;
	char path[sizeof("/proc/self/fd/") + NUMBER_SIZE];
	char text[NNUMBERS][NUMBER_SIZE];
	const char *argv[NARGS + 1] = { roles[h.role] };
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	for (size_t i = 0; i < NNUMBERS; i++) {
		snprintf(text[i], NUMBER_SIZE, "%d", *number_of(&h, i));
		argv[1 + i] = text[i];
	}
	argv[1 + NNUMBERS] = h.log_path;
	rc = posix_spawn_file_actions_init(&actions);
	if (rc == 0) {
		rc = pass_descriptors(&actions, &h);
		if (rc == 0)
			rc = posix_spawn(pid, path, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	if (rc == 0)
		return 0;
	errno = rc;
	return -1;
}

static size_t
role_of(const char *name)
{
	size_t i = 0;

	while (i < ROLE__MAX && strcmp(roles[i], name) != 0)
		i++;
	return i;
}

bool
handover_is_child(int argc, char *const *argv)
{
	return argc > 0 && role_of(argv[0]) < ROLE__MAX;
}

static bool
number_read(const char *text, bool fd, int *out)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < (fd ? -1 : 0) || n > INT_MAX)
		return false;
	*out = (int)n;
	return true;
}

int
handover_take(int argc, char *const *argv, struct handover *h)
{
	if (argc != NARGS || !handover_is_child(argc, argv))
		return -1;
	*h = (struct handover) { .role = (enum pool_role)role_of(argv[0]),
		.log_path = argv[1 + NNUMBERS] };
	for (size_t i = 0; i < NNUMBERS; i++) {
		int *number = number_of(h, i);

		if (!number_read(argv[1 + i], numbers[i].fd, number))
			return -1;
		/* keep them from the children of this process; 0 to 2 are for everybody */
		if (numbers[i].fd && *number > STDERR_FILENO && fcntl(*number, F_SETFD, FD_CLOEXEC) == -1)
			return -1;
	}
	return 0;
}
