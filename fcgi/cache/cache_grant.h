#ifndef CACHE_CACHE_GRANT_H
#define CACHE_CACHE_GRANT_H

/*
 * Grants say who may read which project without asking the pool (cache/cache_dir.h).  The keeper makes
 * one after the one decision, and takes it away when a token or an epoch ends, when its time is up, or
 * when there are too many.
 *
 * The links are the grants; a table in memory knows when each of them ends.  The end of the epoch, or
 * cache_dir_clear(), ends them all.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache_dir.h"

/* Kinds of holders.  Each kind has its own limit. */
enum grant_kind {
	GRANT_ANYONE,
	GRANT_NETWORK,
	GRANT_TOKEN, /* plus enum token_kind */
	GRANT__KINDS = GRANT_TOKEN + TOKEN__MAX
};

/* The oldest grant of the same kind, or of the same /64, makes room for a new one. */
enum {
	GRANTS_MAX = 20000, /* of each kind */
	/* of GRANT_NETWORK in one /64: one host of IPv6 has more addresses than there are grants */
	GRANTS_PREFIX_MAX = 200
};

bool cache_grants_have(const struct cache_dir *, const struct cache_who *, int64_t namespace);

/*
 * Adds a grant, which must be new, to the epoch of the directory.  It must end by `end_us` of clock_us().
 * Outside stale mode it ends by `renew_us` already, and the next request makes it anew.  Adds none while
 * there is no epoch.  -1: 500, 503.
 */
int cache_grants_add(struct cache_dir *, enum grant_kind, const struct cache_who *, int64_t namespace,
    int64_t end_us, int64_t renew_us, struct err *) __attribute__((warn_unused_result));

/* Ends all grants of one token.  -1: 500, 503, they may still work. */
int cache_grants_end(struct cache_dir *, const struct cache_who *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Ends all grants whose end_us is at `until_us` or before; renewed: also those whose renew_us is.  -1: the
 * same.
 */
int cache_grants_end_due(struct cache_dir *, int64_t until_us, bool renewed, struct err *)
    __attribute__((warn_unused_result));

/* Ends all grants of that namespace, which is not 0.  -1: the same. */
int cache_grants_end_namespace(struct cache_dir *, int64_t namespace, struct err *)
    __attribute__((warn_unused_result));

#endif
