#ifndef CACHE_CACHE_STATE_H
#define CACHE_CACHE_STATE_H

/*
 * A keeper shows its state on its board, and writes its errors to the log.  One that is killed or hangs does
 * neither, so believe no state once the lease has ended.
 */

#include <stdint.h>

#include "base/err.h"

/* The state of a keeper: it serves, or the reason why it does not. */
enum cache_state {
	CACHE_STARTS, /* also one that begins anew */
	CACHE_SERVES,
	CACHE_NO_DIR, /* it cannot use cache_dir */
	CACHE_LOCKED, /* another keeper has the lock of cache_dir */
	CACHE_NO_DATABASE,
	CACHE_STALE, /* the same, in stale mode (cache/cache_stale.h) */
	CACHE_DEAF, /* its session gets no notifications */
	CACHE__STATES
};

/* Their names in metrics. */
extern const char *const cache_states[CACHE__STATES];

/*
 * Why nginx sends no files of cache_dir, or stale ones.  That of CACHE_SERVES holds once the lease has ended.
 */
extern const char *const cache_state_reasons[CACHE__STATES];

/* The last warning; {0} at first. */
struct cache_warning {
	int64_t at_us;
	char text[ERR_PUB_SIZE]; /* the longer one of the two texts of an error */
};

/* Logs the error, unless it was logged a moment ago: a keeper tries again and again. */
void cache_warn(struct cache_warning *, const struct err *);

#endif
