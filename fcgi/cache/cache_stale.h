#ifndef CACHE_CACHE_STALE_H
#define CACHE_CACHE_STALE_H

/*
 * Stale mode: with the database away, a node goes on with what is granted after its lease, for
 * cache_stale_max of berth.conf(5), which is off by default.  No writer waits for it then, so:
 *
 *	- The node's row says beforehand for how long it may (cache_nodes.stale_s).  Who writes elsewhere finds
 *	  the row, and its answer names the node and the end (cache/cache_barrier.h).
 *	- Only a keeper that had a lease, and lost the database, may.  One that could not remove something, that
 *	  hears no notifications, whose directory or row was replaced, or that has just started, may not.
 *	- A keeper that has the database again first removes the names, then what is granted.
 *	- The names are for a lease at a time, so a keeper that dies or hangs ends it.
 *	- A worker of this pool that has committed forbids it, and waits until its end.
 *	- No grant outlives its token.  Pages are not served.
 *
 * For the keeper.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache_board.h"
#include "cache/cache_dir.h"
#include "cache/cache_grant.h"
#include "cache/cache_state.h"

struct cache_stale {
	int64_t max_us; /* cache_stale_max, as the node's row has it; 0: never */
	int64_t end_us; /* of clock_us(), when it is over; 0: it must not begin */
	bool is; /* nginx may send what is stale */
};

/* A lease until lease_end_us has begun: after its end the node may go on. */
void cache_stale_allow(struct cache_stale *, struct cache_board *, int64_t lease_end_us);

/* It may not: what is in the directory may be wrong for another reason than that the database is away. */
void cache_stale_forbid(struct cache_stale *);

/*
 * With the database away: lets nginx go on for the next `seconds`, or ends it if it is over or forbidden, or
 * if the disk fails.  Logs both.
 */
void cache_stale_go_on(struct cache_stale *, struct cache_dir *, struct cache_grants *, struct cache_board *,
    int64_t seconds, struct cache_warning *);

/*
 * Nothing stale is sent any more, and none will be before the next lease.  -1: 500, 503, nginx may still
 * send it.
 */
int cache_stale_end(struct cache_stale *, struct cache_dir *, struct cache_board *, struct err *)
    __attribute__((warn_unused_result));

#endif
