#ifndef CACHE_CACHE_ABSENT_H
#define CACHE_CACHE_ABSENT_H

/*
 * Marks of crates that do not exist (cache/cache_dir.h).  Where a caller with a grant finds one, nginx
 * answers 404 by itself.  Readers choose the names, so their number is limited: the oldest mark makes room
 * for a new one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache_dir.h"

enum { ABSENT_MAX = 10000 };

struct cache_absent;

struct cache_absent *cache_absent_new(void) __attribute__((returns_nonnull));
void cache_absent_free(struct cache_absent *);

/* Marks the crate, unless it is marked.  -1: 400 no name of a crate; 500, 503. */
int cache_absent_mark(struct cache_absent *, struct cache_dir *, int64_t namespace, const char *name,
    struct err *) __attribute__((warn_unused_result));

/* Empties the table: the directory has been cleared. */
void cache_absent_forget(struct cache_absent *);

#endif
