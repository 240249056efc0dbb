#ifndef POOL_BACKLOG_H
#define POOL_BACKLOG_H

/*
 * Counts the connections that wait in a listening Unix socket until a worker accepts them, as ss(8) shows
 * them.  The kernel answers this only through sock_diag(7), and only with its module unix_diag.
 */

#include <stdint.h>

/* Opens the descriptor for backlog_read(), which is closed on exec; the caller closes it.  -1: errno. */
int backlog_open(void);

/*
 * *waiting: the connections that wait; *most: the limit of the backlog.  -1: the kernel does not answer,
 * for example for a socket of another family.
 */
int backlog_read(int fd, int listen_fd, int64_t *waiting, int64_t *most) __attribute__((warn_unused_result));

#endif
