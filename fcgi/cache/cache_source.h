#ifndef CACHE_CACHE_SOURCE_H
#define CACHE_CACHE_SOURCE_H

/*
 * What the keeper asks the database on a worker's hint: may they, and what is in the file.  By the
 * keeper's own listening session, so that whatever takes an answer's ground away afterwards is told
 * to that session afterwards.
 */

#include <stdbool.h>
#include <stdint.h>

#include "access/token_key.h"
#include "cache/cache_grant.h"
#include "store/db.h"

/* A decision that rests on nothing but who asks. */
struct cache_decision {
	bool allowed;
	char epoch[CACHE_EPOCH_SIZE]; /* in which it was made */
	enum grant_kind kind;
	struct cache_who who; /* as the database has it */
	int64_t lasts_ms; /* until something that it rests on ends; -1: it has no end */
};

/*
 * For each of n hints, one of which at least there must be: may its WHO read packages of its project?
 * Asks the one decision function (access/access.h), for all of them in one round trip.  A token that
 * nginx cannot check is not allowed either: one without a handle, or whose slot is retired or has
 * another key than `keys`.  -1: 503.
 */
int cache_source_decide(struct db *, struct arena *, const struct token_keys *,
    const struct cache_hint *, size_t n, struct cache_decision *, struct err *)
    __attribute__((warn_unused_result));

struct cache_content {
	bool found;
	struct slice bytes; /* of an index file (gzip) or of config.json */
	int64_t time; /* its modification time: ETags are made of it */
	const char *cksum; /* of a crate */
};

/* What the file has in it.  -1: 503. */
int cache_source_read(struct db *, struct arena *, const char *external_url,
    const struct cache_file *, struct cache_content *, struct err *)
    __attribute__((warn_unused_result));

#endif
