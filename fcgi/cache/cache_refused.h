#ifndef CACHE_CACHE_REFUSED_H
#define CACHE_CACHE_REFUSED_H

/*
 * Hints about groups that were refused a short while ago.  A caller who may read some projects of a group,
 * and not all, leaves one with each read, and to decide about all projects costs time.  To remember too
 * much does no harm: the pool answers.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache_dir.h"

enum { CACHE_REFUSED_MAX = 256 };

/* { 0 }: nothing was refused. */
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
