#ifndef HTTP_HANDOVER_H
#define HTTP_HANDOVER_H

/*
 * How the master starts a child: not as a copy of itself, but anew, from the program that it was
 * started from itself.  So no two processes of a pool have the same layout in memory or the same
 * stack canary, and what one of them tells an attacker is of no use in another.  The child gets
 * descriptors, in its arguments, and the configuration as its master has read it: a file that
 * was changed since, also that of the program, is not looked at.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum pool_role { ROLE_READER, ROLE_WRITER, ROLE_KEEPER, ROLE__MAX };

struct handover {
	enum pool_role role;
	int master; /* its pid */
	int number; /* of the child in its generation */
	int children; /* of its generation */
	int log_level;
	/* descriptors */
	int settings_fd; /* settings_save() */
	int scoreboard_fd;
	int metrics_fd;
	int slots_fd;
	int listen_fd; /* -1 of ROLE_KEEPER */
	int log_fd;
	const char *log_path; /* "": standard error */
};

/* The program that runs, for handover_spawn(); -1 with errno set. */
int handover_program(void);

/* Starts a child.  0, or -1 with errno set. */
int handover_spawn(int program, const struct handover *, pid_t *);

/* Is this process such a child? */
bool handover_is_child(int argc, char *const *argv);

/*
 * What the child gets; its descriptors are closed on exec from now on.  log_path is borrowed from
 * argv.  -1: these are no arguments of a master.
 */
int handover_take(int argc, char *const *argv, struct handover *)
    __attribute__((warn_unused_result));

#endif
