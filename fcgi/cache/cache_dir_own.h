#ifndef CACHE_CACHE_DIR_OWN_H
#define CACHE_CACHE_DIR_OWN_H

/* What cache_dir.c, cache_tree.c and cache_grant.c share, and nobody else sees. */

#include <dirent.h>
#include <stdint.h>
#include <time.h>

#include "cache/cache_dir.h"

enum {
	CACHE_DIR_OWN_MODE = 0600, /* of what is for the pool alone */
	CACHE_DIR_NODE_BYTES = 16
};

struct cache_dir {
	int root;
	int lock;
	int hint;
	unsigned made; /* names in the trash, so that each has another */
	int64_t started_us;
	char node[2 * CACHE_DIR_NODE_BYTES + 1];
	/* the lease: seconds by the calendar; last < first: there is none */
	time_t first, last;
	char epoch[CACHE_EPOCH_SIZE]; /* that it leads to; "": to none */
};

/* As err_disk(). */
int cache_dir_error(struct err *, const char *what);

/* A directory that nginx can read; it may be there.  -1: 500, 503. */
int cache_dir_make(int at, const char *path, struct err *) __attribute__((warn_unused_result));

/* Out of its place in one step, into the trash; it may be missing.  -1: 500, 503, it is still there. */
int cache_dir_discard(struct cache_dir *, const char *path, struct err *)
    __attribute__((warn_unused_result));

/* NULL at the end, which an error is not: what was not seen would stay.  0, or -1 with errno. */
int cache_dir_next(DIR *, struct dirent **) __attribute__((warn_unused_result));

#endif
