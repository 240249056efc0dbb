#ifndef CACHE_CACHE_REFUSED_H
#define CACHE_CACHE_REFUSED_H

/*
 * Remembers the hints about groups that were refused a short while ago.  Each read of a caller who may read
 * some projects of a group, but not all, leaves such a hint, and to decide about all projects costs time.
 * A refusal that is remembered too long does no harm, because the pool then answers.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache_dir.h"

enum { CACHE_REFUSED_MAX = 256 };

/* { 0 }: no hint was refused. */
struct cache_refused {
	struct cache_refusal {
		struct cache_who who;
		int64_t namespace;
		int64_t until_us; /* of clock_us() */
	} v[CACHE_REFUSED_MAX];
	size_t next;
};

/* Was a hint of that caller about the same group refused a short while ago? */
bool cache_refused_has(const struct cache_refused *, const struct cache_hint *, int64_t now_us);

/* Remembers that the hint was refused, if it is about a group. */
void cache_refused_add(struct cache_refused *, const struct cache_hint *, int64_t now_us);

#endif
