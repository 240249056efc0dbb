#ifndef CACHE_CACHE_DIR_OWN_H
#define CACHE_CACHE_DIR_OWN_H

/* Shared by cache_dir.c, cache_tree.c, cache_grant.c and cache_extract.c alone. */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "cache/cache_board.h"
#include "cache/cache_dir.h"

enum {
	CACHE_DIR_OWN_MODE = 0600, /* of files for the pool alone */
	CACHE_DIR_NODE_BYTES = (CACHE_NODE_SIZE - 1) / 2
};

struct cache_dir {
	char *path;
	int root;
	int lock;
	int hint;
	unsigned made; /* counts names in the trash, so that each differs */
	int64_t started_us;
	char node[CACHE_NODE_SIZE];
	/* the lease, in calendar seconds; last < first: none */
	time_t first, last;
	bool stale; /* stale/ may have names */
	char epoch[CACHE_EPOCH_SIZE]; /* the epoch that the lease points at; "": none */
};

/* Sets err by errno as err_disk() does, with the whole path of `what` and the remedy.  Returns -1. */
int cache_dir_error(const struct cache_dir *, const char *what, struct err *);

/* Makes a directory that nginx can read, unless it exists.  -1: 500, 503. */
int cache_dir_make(const struct cache_dir *, const char *path, struct err *)
    __attribute__((warn_unused_result));

/*
 * Calls the function with the name of each entry of a directory; `at` is the descriptor of the directory.  An
 * entry that it cannot read is an error, since the caller would leave it.  -1: the function's error, or 500,
 * 503.
 */
typedef int cache_dir_fn(void *arg, int at, const char *name, struct err *);
int cache_dir_each(const struct cache_dir *, const char *path, cache_dir_fn *, void *arg, struct err *)
    __attribute__((warn_unused_result));

/* Writes all bytes.  0, or -1 with errno. */
int cache_dir_write(int fd, struct slice bytes) __attribute__((warn_unused_result));

#endif
