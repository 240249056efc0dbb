#ifndef CACHE_CACHE_DECIDE_H
#define CACHE_CACHE_DECIDE_H

/*
 * May the caller of a worker's hint read?  The keeper asks the database in the session that listens, so that
 * it gets the notification of a later change after the answer.
 */

#include <stdbool.h>
#include <stdint.h>

#include "access/token_key.h"
#include "cache/cache_grant.h"
#include "cache/cache_state.h"
#include "store/db/db.h"

enum {
	/* Nobody gets a grant for a group with more projects, because each decision is about all of them. */
	CACHE_VIEW_PROJECTS_MAX = 1000,
	CACHE_REFUSED_MAX = 256
};

/* { 0 }: there are no keys, and no hint was refused. */
struct cache_decider {
	struct token_keys keys; /* that prove tokens to nginx of this host */
	bool logged; /* the log has said which keys this host lacks */
	/*
	 * The hints about groups that were refused a short while ago.  Each read of a caller who may read some
	 * projects of a group, but not all, leaves such a hint, and to decide about all projects costs time.
	 * A refusal that is remembered too long does no harm, because the pool then answers.
	 */
	struct cache_refusal {
		struct cache_who who;
		int64_t namespace;
		int64_t until_us; /* of clock_us() */
	} refused[CACHE_REFUSED_MAX];
	size_t next;
};

/*
 * Reads the keys from `path`.  Without them, or where the pool looks every token up because it cannot read
 * their file, the keeper grants public projects to anyone, and nothing to tokens.  Says once in the log which
 * tokens nginx of this host does not know.  -1: 503.
 */
int cache_decide_read_keys(struct cache_decider *, struct db *, struct arena *, const char *path,
    struct cache_warning *, struct err *) __attribute__((warn_unused_result));

/* A decision that depends on the caller alone. */
struct cache_decision {
	bool allowed;
	char epoch[CACHE_EPOCH_SIZE]; /* of the decision */
	enum grant_kind kind;
	struct cache_who who; /* as the database knows the caller */
	int64_t lasts_ms; /* until a right that it rests on ends; -1: none ends */
};

/*
 * Decides for each of n hints whether its WHO may read packages of its project, or of each project below its
 * group that has its packages switched on.  Asks the one decision function (access/access.h), for all of them
 * in one round trip.  It also refuses a token that nginx cannot check: one without a handle, or whose slot is
 * retired or has another key.  -1: 503.
 */
int cache_decide(struct cache_decider *, struct db *, struct arena *, const struct cache_hint *, size_t n,
    struct cache_decision *, struct err *) __attribute__((warn_unused_result));

#endif
