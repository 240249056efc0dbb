#ifndef CACHE_CACHE_FILL_H
#define CACHE_CACHE_FILL_H

/* Fills one file of the cache from the database, or marks that the crate does not exist.  For the keeper. */

#include <stdint.h>

#include "cache/cache_absent.h"
#include "cache/cache_dir.h"
#include "cache/cache_state.h"
#include "config/settings.h"
#include "store/db/db.h"

struct cache_fill {
	struct cache_dir *dir;
	struct cache_absent *absent;
	const struct settings *settings;
	int64_t file_bytes; /* the longest index file that it reads, for each second of the lease */
	struct cache_warning *warned;
};

/*
 * Does nothing if the file is there.  Handles no notification between the read and the write.  If the disk
 * fails, it logs this, and the pool answers the requests.  -1: 503.
 */
int cache_fill(const struct cache_fill *, struct db *, struct arena *, const struct cache_file *,
    struct err *) __attribute__((warn_unused_result));

#endif
