#ifndef CACHE_CACHE_FILL_H
#define CACHE_CACHE_FILL_H

/*
 * Fills one file of the cache from the database, or marks that the crate does not exist.  The keeper reads it
 * in the session that listens, so that it gets the notification of a later change after the answer.
 */

#include <stddef.h>

#include "cache/cache_dir.h"
#include "cache/cache_state.h"
#include "config/settings.h"
#include "store/db/db.h"

/* The files that are to be filled; one that finds no room is filled at the next request. */
enum { CACHE_DUE_MAX = 2 * DB_CALLS_MAX };
struct cache_due {
	struct cache_file v[CACHE_DUE_MAX];
	size_t n;
};

void cache_due_add(struct cache_due *, const struct cache_file *);

/*
 * Does nothing if the file is there.  Handles no notification between the read and the write.  If the disk
 * fails, it logs this, and the pool answers the requests.  -1: 503.
 */
int cache_fill(struct cache_dir *, struct db *, struct arena *, const struct settings *,
    const struct cache_file *, struct cache_warning *, struct err *) __attribute__((warn_unused_result));

#endif
