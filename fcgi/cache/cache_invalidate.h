#ifndef CACHE_CACHE_INVALIDATE_H
#define CACHE_CACHE_INVALIDATE_H

/* What each message of the database takes away from the cache. */

#include "cache/cache_grant.h"
#include "cache/cache_message.h"

struct cache_invalidation {
	struct cache_dir *dir;
	struct cache_grants *grants;
	/* Called with each index file that was taken away: clients probably ask for it again. */
	void (*due)(void *arg, const struct cache_file *);
	void *arg;
};

/*
 * Takes away what the message names; nobody can open it any more when the function returns.  What concerns
 * a crate of a project is taken away from all groups as well.  -1: 500, 503, nginx may still serve it.
 */
int cache_invalidate(const struct cache_invalidation *, const struct cache_message *, struct err *)
    __attribute__((warn_unused_result));

#endif
