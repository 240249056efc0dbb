#ifndef BASE_DAEMON_H
#define BASE_DAEMON_H

/* What a program that stays does before anything else. */

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
 * Unless it is to be traceable, nobody else looks into this process, not even another one of the
 * same user, and it leaves no core.  The first ends with the next exec, the second holds for all
 * that it starts.  -1 with errno set.
 */
int daemon_protect(bool traceable) __attribute__((warn_unused_result));

/* At the end.  -1 for fd: there is none. */
void daemon_pid_file_remove(const char *path, int fd);

#endif
