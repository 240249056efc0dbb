#ifndef STORE_PACKAGE_NGINX_ANSWERS_H
#define STORE_PACKAGE_NGINX_ANSWERS_H

/* Counts what nginx of a node has answered by itself: reads from cache_dir, and errors. */

#include <stdbool.h>
#include <stdint.h>

#include "store/db/db.h"
#include "store/package/download.h"

enum { NGINX_ANSWERS_ROUTES = 6 };

struct nginx_answers {
	const char *const *routes; /* names */
	int64_t n[NGINX_ANSWERS_ROUTES]; /* of each */
};

/*
 * Adds the numbers of a part of a log, once.  *moved false: nothing was added, since another process has
 * read these lines.  -1: 503.
 */
int nginx_answers_count(struct db *, struct arena *, const struct download_part *,
    const struct nginx_answers *, bool *moved, struct err *) __attribute__((warn_unused_result));

/*
 * Reads the sums of a node.  Routes without answers are missing; *nroutes: the number of the others.
 * *errors: those of no route.  -1: 503.
 */
int nginx_answers_read(struct db *, struct arena *, const char *node, struct nginx_answers *,
    size_t *nroutes, int64_t *errors, struct err *) __attribute__((warn_unused_result));

#endif
