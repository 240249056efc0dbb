#ifndef POOL_WAIT_H
#define POOL_WAIT_H

/*
 * An idle worker waits for a signal or a connection.  Of all workers that wait for a connection the kernel
 * wakes only one, which has to take it, even if it was to end.
 */

#include <stdbool.h>

struct wait;

struct wait_ready {
	bool signal;
	bool request; /* there may be one */
};

/* NULL with errno set.  Both descriptors stay open as long as it lives. */
struct wait *wait_new(int signal_fd, int listen_fd);
void wait_free(struct wait *);

/*
 * Waits for either, at most timeout_ms (-1: without end).  kept_fd: the connection that the
 * next request comes over, or -1: any new one, and then it is a second at most.  Returns the
 * number of things that are ready, 0 after the time-out, -1 after an interruption.
 */
int wait_any(struct wait *, int kept_fd, int timeout_ms, struct wait_ready *);

#endif
