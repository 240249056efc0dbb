#ifndef CACHE_CACHE_STATE_H
#define CACHE_CACHE_STATE_H

/*
 * What a keeper says of itself: its state to whoever watches it, its troubles to the log.  A keeper that is
 * killed or hangs says nothing, so believe no state once the lease has ended.
 */

#include <stdint.h>

#include "base/err.h"

/* What a keeper does, or what keeps it from serving. */
enum cache_state {
	CACHE_SERVES,
	CACHE_STARTS, /* also one that begins anew */
	CACHE_NO_DIR, /* it cannot use cache_dir */
	CACHE_LOCKED, /* another keeper has the lock of cache_dir */
	CACHE_NO_DATABASE,
	CACHE_DEAF, /* its session gets no notifications */
	CACHE__STATES
};

/* Their names in metrics. */
extern const char *const cache_states[CACHE__STATES];

/* Is told the state, and when the lease ends or ended, by clock_us(); 0: as told before. */
struct cache_watcher {
	void (*tell)(void *arg, enum cache_state, int64_t lease_end_us);
	void *arg;
};

/* The last warning; {0} at first. */
struct cache_warning {
	int64_t at_us;
	char text[ERR_PUB_SIZE]; /* the longer one of the two texts of an error */
};

/* Logs the error, unless it was logged a moment ago: a keeper tries again and again. */
void cache_warn(struct cache_warning *, const struct err *);

#endif
