#include "cache/cache_stale.h"

#include <time.h>

#include "base/clock.h"
#include "base/log.h"

void
cache_stale_allow(struct cache_stale *s, struct cache_board *b, int64_t lease_end_us)
{
	s->end_us = s->max_us > 0 ? lease_end_us + s->max_us : 0;
	b->stale_forbidden = false;
}

void
cache_stale_forbid(struct cache_stale *s)
{
	s->end_us = 0;
}

/* 0: stale mode lasts on, or has ended.  -1: 500, 503. */
static int
go_on(struct cache_stale *s, struct cache_dir *d, struct cache_board *b,
    int64_t seconds, struct err *err)
{
	int64_t from_us = clock_us(), until_us = from_us + seconds * CLOCK_SECOND;
	time_t now = time(NULL);

	if (until_us > s->end_us)
		until_us = s->end_us;
	if (until_us <= from_us)
		return cache_stale_end(s, d, b, err);
	/*
	 * a worker first forbids, then reads stale_us; we do the opposite, so that one of us sees the other
	 */
	b->stale_us = until_us;
	if (b->stale_forbidden)
		return cache_stale_end(s, d, b, err);
	s->is = true;
	return cache_grants_end_due(d, until_us, false, err) == -1 ? -1
	    : cache_dir_stale(d, now, now + (time_t)((until_us - from_us) / CLOCK_SECOND) - CACHE_NAMES_SLACK, err);
}

void
cache_stale_go_on(struct cache_stale *s, struct cache_dir *d, struct cache_board *b,
    int64_t seconds, struct cache_warning *warned)
{
	bool was = s->is;
	struct err err = { 0 };

	if (go_on(s, d, b, seconds, &err) == -1) {
		cache_warn(warned, &err);
		err_clear(&err);
		/* a name that cannot be removed is of a second that passes */
		if (cache_stale_end(s, d, b, &err) == -1)
			cache_warn(warned, &err);
	}
	if (s->is != was)
		log_warn("cache: %s", s->is ? "stale mode begins: the database does not answer, and nginx continues "
		    "for at most cache_stale_max seconds" : "stale mode has ended: nginx sends no stale files");
}

int
cache_stale_end(struct cache_stale *s, struct cache_dir *d, struct cache_board *b, struct err *err)
{
	s->end_us = 0;
	s->is = false;
	if (cache_dir_end_stale(d, err) == -1)
		return -1;
	b->stale_us = 0;
	return 0;
}
