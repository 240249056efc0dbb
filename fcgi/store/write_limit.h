#ifndef STORE_WRITE_LIMIT_H
#define STORE_WRITE_LIMIT_H

/*
 * Token buckets for what writes: each actor has one for each action, it holds `burst`
 * tokens at first and again after a while.  One statement takes a token, whoever else
 * asks at the same time on whatever node.
 */

#include <stdint.h>

#include "store/db.h"

enum write_action {
	WRITE_NEW_CRATE, /* a name that is not there yet */
	WRITE_PUBLISH, /* a version of a crate that is */
	WRITE_YANK, /* and unyank */
	WRITE_CHANGE, /* a change of settings, members, owners or packages */
	WRITE_TOKEN, /* a token is made or rotated, or a session is opened */
	WRITE_JOB_TOKEN, /* a token is made for a job */
	WRITE_FAILED_LOGIN, /* a bad credential */
	WRITE_JOB_LOGIN, /* a job token that GitLab does not know */
	WRITE_KEY_READ, /* a read of an issuer's keys, for a token whose key is missing */
	WRITE__MAX
};

struct write_limit {
	int64_t burst; /* 0: no limit */
	int64_t per_minute; /* tokens that come back */
};

struct write_ask {
	const struct write_limit *limits; /* WRITE__MAX of them */
	const char *actor;
	enum write_action action;
	/* of WRITE_PUBLISH; where it is not there WRITE_NEW_CRATE is charged in its place */
	int64_t project_id;
	const char *normalized_name;
};

struct write_answer {
	enum write_action action; /* whose bucket has said so */
	int64_t wait_us; /* 0: go on; else until there is a token */
};

/* Takes one token, where there is one.  -1: 503. */
int write_limit_charge(struct db *, struct arena *, const struct write_ask *, struct write_answer *,
    struct err *) __attribute__((warn_unused_result));

struct write_look {
	const char *actor;
	enum write_action action;
	struct write_limit limit;
	int64_t wait_us; /* out: the time until there is a token; 0: there is one */
};

enum { WRITE_LOOKS_MAX = 2 };

/*
 * How long would each of them have to wait?  At most WRITE_LOOKS_MAX; takes nothing.  `beside` (or NULL)
 * is a call that runs in the same round trip.  -1: 503.
 */
int write_limit_look(struct db *, struct arena *, struct write_look *, size_t n,
    struct db_call *beside, struct err *) __attribute__((warn_unused_result));

/* Removes buckets that are full, some of them; *n: how many.  -1: 503. */
int write_limit_sweep(struct db *, struct arena *, int64_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
