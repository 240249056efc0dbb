#ifndef CACHE_CACHE_FILL_H
#define CACHE_CACHE_FILL_H

/* Writes one file of the cache from the database, or the mark that there is no such crate.  For keepers. */

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
	int64_t file_bytes; /* a longer index file, for each second of the lease, is not read */
	struct cache_warning *warned;
};

/*
 * Handles no notification between the read and the file.  If the disk does not take it, the pool answers.
 * -1: 503.
 */
int cache_fill(const struct cache_fill *, struct db *, struct arena *, const struct cache_file *,
    struct err *) __attribute__((warn_unused_result));

#endif
