#ifndef BASE_DAEMON_H
#define BASE_DAEMON_H

/* The first steps of a daemon, before anything else. */

#include <stdbool.h>

#include "base/err.h"

/* Descriptors 0, 1 and 2 must be taken, or a socket could become one of them.  0 or -1. */
int daemon_standard_fds(void) __attribute__((warn_unused_result));

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
