#ifndef CACHE_CACHE_INVALIDATE_H
#define CACHE_CACHE_INVALIDATE_H

/* Removes from the cache what a message of the database makes wrong. */

#include "cache/cache_grant.h"
#include "cache/cache_message.h"

struct cache_invalidation {
	struct cache_dir *dir;
	struct cache_grants *grants;
	/* called for each index file that was removed, since clients probably ask for it again */
	void (*due)(void *arg, const struct cache_file *);
	void *arg;
};

/*
 * Removes what the message names; nobody can open it any more when the function returns.  A message about a
 * crate of a project also removes the crate from the registries of all groups.  -1: 500, 503, nginx may
 * still serve it.
 */
int cache_invalidate(const struct cache_invalidation *, const struct cache_message *, struct err *)
    __attribute__((warn_unused_result));

#endif
