#ifndef STORE_TOKEN_RATE_LIMIT_H
#define STORE_TOKEN_RATE_LIMIT_H

/*
 * Token buckets for writes: each actor has one for each action.  A bucket has `burst` tokens at first, and
 * fills up again.  One statement takes a token, so that the count is right whatever other nodes do at the
 * same time.
 */

#include <stdint.h>

#include "store/db/db.h"

enum rate_limit_action {
	RATE_LIMIT_NEW_CRATE, /* a name that is not there yet */
	RATE_LIMIT_PUBLISH, /* a version of a crate that is */
	RATE_LIMIT_YANK, /* and unyank */
	RATE_LIMIT_CHANGE, /* a change of settings, members, owners or packages */
	RATE_LIMIT_TOKEN, /* a token is made or rotated, or a session is opened */
	RATE_LIMIT_JOB_TOKEN, /* a token is made for a job */
	RATE_LIMIT_FAILED_LOGIN, /* a bad credential */
	RATE_LIMIT_JOB_LOGIN, /* a job token that GitLab does not know */
	RATE_LIMIT_KEY_READ, /* a read of an issuer's keys, for a token whose key is missing */
	RATE_LIMIT__MAX
};

struct rate_limit {
	int64_t burst; /* 0: no limit */
	int64_t per_minute; /* tokens that come back */
};

struct rate_limit_ask {
	const struct rate_limit *limits; /* RATE_LIMIT__MAX of them */
	const char *actor;
	enum rate_limit_action action;
	/* of RATE_LIMIT_PUBLISH; where it is not there RATE_LIMIT_NEW_CRATE is charged in its place */
	int64_t project_id;
	const char *normalized_name;
};

struct rate_limit_answer {
	enum rate_limit_action action; /* the action whose bucket was used */
	int64_t wait_us; /* 0: go on; else until there is a token */
};

enum { RATE_LIMIT_BESIDE_MAX = DB_CALLS_MAX - 1 };

/*
 * Takes one token, if there is one.  `beside` are n calls that only read, and run in the same round trip;
 * at most RATE_LIMIT_BESIDE_MAX.  -1: 503.
 */
int rate_limit_charge(struct db *, struct arena *, const struct rate_limit_ask *, struct db_call *beside,
    size_t n, struct rate_limit_answer *, struct err *) __attribute__((warn_unused_result));

struct rate_limit_look {
	const char *actor;
	enum rate_limit_action action;
	struct rate_limit limit;
	int64_t wait_us; /* out: the time until there is a token; 0: there is one */
};

enum { RATE_LIMIT_LOOKS_MAX = 2 };

/*
 * Fills in how long each of them, at most RATE_LIMIT_LOOKS_MAX, would have to wait; it takes no token.
 * `beside` (or NULL) is a call that runs in the same round trip.  -1: 503.
 */
int rate_limit_look(struct db *, struct arena *, struct rate_limit_look *, size_t n,
    struct db_call *beside, struct err *) __attribute__((warn_unused_result));

/* Removes some buckets that are full; *n: how many.  -1: 503. */
int rate_limit_sweep(struct db *, struct arena *, int64_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
