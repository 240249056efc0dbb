#ifndef BASE_DAEMON_H
#define BASE_DAEMON_H

/* The first steps of a program, before anything else; most are for daemons alone. */

#include <stdbool.h>

#include "base/err.h"

/*
 * Opens those of the descriptors 0, 1 and 2 that are closed: else a file or the database's socket would
 * become one of them, and get what is printed.  Writing to them fails as before.  Also stops ignoring
 * SIGCHLD, as whoever starts the program may do: the kernel would not tell how its children end.  -1 with
 * errno set.
 */
int daemon_prepare(void) __attribute__((warn_unused_result));

/*
 * Writes the pid and locks the file for as long as the process lives, so that
 * a second one with the same configuration does not start.  The lock is one
 * that children do not inherit.  -1: 500.
 */
int daemon_pid_file(const char *path, int *fd, struct err *) __attribute__((warn_unused_result));

/*
 * Unless `traceable`, keeps other processes, even of the same user, from looking into this one, and
 * keeps it from leaving a core.  The first ends at the next exec; the second also holds for all
 * processes that it starts.  -1 with errno set.
 */
int daemon_protect(bool traceable) __attribute__((warn_unused_result));

/* At the end.  -1 for fd: there is none. */
void daemon_pid_file_remove(const char *path, int fd);

#endif
