#ifndef POOL_HANDOVER_H
#define POOL_HANDOVER_H

/*
 * Starts children of the master: not as copies of it, but anew, from the program that the master
 * runs.  So no two processes of a pool have the same memory layout or the same stack canary, and what
 * an attacker learns from one of them is of no use in another.  The child gets
 * descriptors, in its arguments, and the configuration as the master has read it.  Later changes of a
 * file, even of the program, do not matter.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum pool_role { ROLE_READER, ROLE_WRITER, ROLE_KEEPER, ROLE__MAX };

struct handover {
	enum pool_role role;
	int master; /* its pid */
	int number; /* number of the child in its generation */
	int children; /* number of children in its generation */
	int log_level;
	/* descriptors */
	int settings_fd; /* settings_save() */
	int scoreboard_fd;
	int metrics_fd;
	int slots_fd;
	int memory_fd; /* of struct pool_shared; -1: none */
	int listen_fd; /* -1 of ROLE_KEEPER */
	int log_fd;
	const char *log_path; /* "": standard error */
};

/* Opens the running program, for handover_spawn(); -1 with errno set. */
int handover_program(void);

/* Starts a child.  0, or -1 with errno set. */
int handover_spawn(int program, const struct handover *, pid_t *);

/* Is this process such a child? */
bool handover_is_child(int argc, char *const *argv);

/*
 * Reads what the master handed over; the descriptors are closed on exec from now on.  log_path is
 * borrowed from argv.  -1: no master has made these arguments.
 */
int handover_take(int argc, char *const *argv, struct handover *)
    __attribute__((warn_unused_result));

#endif
