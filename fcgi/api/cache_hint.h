#ifndef API_CACHE_HINT_H
#define API_CACHE_HINT_H

/*
 * Hints for the keeper (cache/cache_keeper.h): a read was answered by the pool that nginx could
 * have answered by itself.  They are never more than that: the keeper decides anew.
 */

#include "api/call.h"

/* config.json: no name; an index file: no version.  Leaves nothing where nginx could not answer. */
void cache_hint_leave(const struct call *, const struct request *, struct slice name,
    struct slice version);

#endif
