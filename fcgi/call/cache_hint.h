#ifndef CALL_CACHE_HINT_H
#define CALL_CACHE_HINT_H

/*
 * Hints for the keeper (cache/cache_keeper.h): the pool has answered a read that nginx could
 * answer the next time.  They are never more than hints: the keeper decides anew.
 */

#include "call/call.h"

/* Leaves a hint, unless nginx could not answer.  No name: config.json; no version: an index file. */
void cache_hint_leave(const struct call *, const struct request *, struct slice name,
    struct slice version);

#endif
