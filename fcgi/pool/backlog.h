#ifndef POOL_BACKLOG_H
#define POOL_BACKLOG_H

/*
 * How many connections wait in a listening Unix socket until somebody accepts them: what ss(8) shows.  The
 * kernel tells by sock_diag(7) alone, and only where it has the module unix_diag.
 */

#include <stdint.h>

/* A descriptor to ask by, closed on exec; -1: errno. */
int backlog_open(void);

/*
 * *waiting: how many connections wait; *most: how many may.  -1: the kernel does not tell, as of a socket of
 * another family.
 */
int backlog_read(int fd, int listen_fd, int64_t *waiting, int64_t *most) __attribute__((warn_unused_result));

#endif
