#ifndef POOL_SCOREBOARD_H
#define POOL_SCOREBOARD_H

/*
 * The state of the workers of one generation, in memory that the master shares with them.  By it the master
 * knows that a worker is ready, or that one is stuck.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum slot_state { SLOT_STARTING, SLOT_READY, SLOT_BUSY, SLOT_STOPPING };

struct slot {
	_Atomic int state;
	_Atomic int64_t busy_since_us; /* of clock_us(); in SLOT_BUSY */
	_Atomic int64_t served; /* requests that this worker has answered */
	_Atomic int64_t deferred; /* requests that it has put off (pool/deferred.h) */
};

/*
 * Makes n slots in SLOT_STARTING, in a file without a name, whose descriptor is closed on exec.  NULL
 * with errno set.
 */
struct slot *scoreboard_new(size_t n, int *fd);
/* Opens the same slots in another process, by that descriptor.  NULL with errno set. */
struct slot *scoreboard_map(int fd, size_t n);
void scoreboard_free(struct slot *, size_t n);

/* Called by the master before it starts a worker, and then by the worker. */
void slot_start(struct slot *);
void slot_idle(struct slot *);
void slot_busy(struct slot *);
void slot_stop(struct slot *);

/* Microseconds that the worker's request has taken so far; 0: it has none. */
int64_t slot_busy_us(const struct slot *);

#endif
