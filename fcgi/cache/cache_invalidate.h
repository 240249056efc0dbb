#ifndef CACHE_CACHE_INVALIDATE_H
#define CACHE_CACHE_INVALIDATE_H

/* Removes from the cache what a message of the database makes wrong. */

#include "cache/cache_fill.h"
#include "cache/cache_message.h"

/*
 * Removes what the message names; nobody can open it any more when the function returns.  A message about a
 * crate of a project also removes the crate from the registries of all groups.  Each index file that was
 * removed is due, since clients probably ask for it again.  -1: 500, 503, nginx may still serve it.
 */
int cache_invalidate(struct cache_dir *, const struct cache_message *, struct cache_due *, struct err *)
    __attribute__((warn_unused_result));

#endif
