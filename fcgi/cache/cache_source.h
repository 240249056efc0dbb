#ifndef CACHE_CACHE_SOURCE_H
#define CACHE_CACHE_SOURCE_H

/*
 * The keeper asks the database two questions about a worker's hint: may the caller read, and what is the
 * content of the file?  It asks in the session that listens, so that it gets the notification of a later
 * change after the answer.
 */

#include <stdbool.h>
#include <stdint.h>

#include "access/token_key.h"
#include "cache/cache_grant.h"
#include "store/db/db.h"

/* A decision that depends on the caller alone. */
struct cache_decision {
	bool allowed;
	char epoch[CACHE_EPOCH_SIZE]; /* of the decision */
	enum grant_kind kind;
	struct cache_who who; /* as the database knows the caller */
	int64_t lasts_ms; /* until a right that it rests on ends; -1: none ends */
};

/* Nobody gets a grant for a group with more projects, because each decision is about all of them. */
enum { CACHE_VIEW_PROJECTS_MAX = 1000 };

/*
 * Decides for each of n hints, at least one, whether its WHO may read packages of its project, or of each
 * project below its group that has its packages switched on. Asks the one decision function
 * (access/access.h), for all of them in one round trip.  It also refuses a token that nginx cannot check:
 * one without a handle, or whose slot is retired or has another key than `keys`.  -1: 503.
 */
int cache_source_decide(struct db *, struct arena *, const struct token_keys *,
    const struct cache_hint *, size_t n, struct cache_decision *, struct err *)
    __attribute__((warn_unused_result));

struct cache_content {
	bool found;
	bool absent; /* an index file: its crate does not exist */
	struct slice bytes; /* an index file (gzip) or config.json */
	int64_t time; /* its modification time, of which nginx makes the ETag */
	const char *cksum; /* the blob of a crate */
};

/* Reads the content of the file, unless it is an index file of more than `max` bytes: not found.  -1: 503. */
int cache_source_read(struct db *, struct arena *, const char *external_url,
    const struct cache_file *, int64_t max, struct cache_content *, struct err *)
    __attribute__((warn_unused_result));

#endif
