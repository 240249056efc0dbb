#ifndef CACHE_CACHE_STALE_H
#define CACHE_CACHE_STALE_H

/*
 * Stale mode: when a node cannot reach the database, its nginx continues after the end of the lease, with the
 * grants that the node has.  It continues for at most cache_stale_max seconds (berth.conf(5)); the default,
 * 0, switches stale mode off.  No writer waits for a node in stale mode, so these rules hold:
 *
 *	- The node's row says beforehand how long its stale mode can last (cache_nodes.stale_s).  A writer at
 *	  another node reads the row, and its answer names the node and the seconds that are left
 *	  (cache/cache_barrier.h).
 *	- A keeper begins stale mode only if it had a lease and has lost its session.  It does not begin if it
 *	  could not remove a file, receives no notifications, has lost its directory or its row, or has just
 *	  started.
 *	- A keeper that reaches the database again first removes the names below stale/, then the grants.
 *	- The keeper makes names for one lease at a time, so stale mode ends when the keeper dies or hangs.
 *	- A worker of this pool that has committed a change forbids stale mode, and waits until it has ended.
 *	- No grant lasts longer than its token.  nginx sends no pages.
 *
 * Only the keeper uses this module.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache_board.h"
#include "cache/cache_dir.h"
#include "cache/cache_grant.h"
#include "cache/cache_state.h"

struct cache_stale {
	int64_t max_us; /* cache_stale_max, as the node's row has it; 0: stale mode is off */
	int64_t end_us; /* when stale mode must end, by clock_us(); 0: it must not begin */
	bool is; /* nginx may send stale files */
};

/* Allows stale mode after a lease that has just begun and ends at lease_end_us. */
void cache_stale_allow(struct cache_stale *, struct cache_board *, int64_t lease_end_us);

/*
 * Forbids stale mode until the next lease: something else than the lost database may be wrong with the files.
 */
void cache_stale_forbid(struct cache_stale *);

/*
 * Call this while the database does not answer.  Begins stale mode or extends it by `seconds`; ends it if its
 * time is over, if a worker has forbidden it, or if the disk fails.  Logs the beginning and the end.
 */
void cache_stale_go_on(struct cache_stale *, struct cache_dir *, struct cache_board *,
    int64_t seconds, struct cache_warning *);

/*
 * Ends stale mode, which cannot begin again before the next lease.  -1: 500, 503, nginx may still send stale
 * files.
 */
int cache_stale_end(struct cache_stale *, struct cache_dir *, struct cache_board *, struct err *)
    __attribute__((warn_unused_result));

#endif
