#ifndef AUTH_RATE_LIMIT_H
#define AUTH_RATE_LIMIT_H

/*
 * How fast one caller may write, by the *_burst and *_per_minute of the configuration.
 * It counts users, tokens that belong to no user, and, for bad credentials,
 * addresses.  It looks a credential up before it counts anything: a good one is never refused for
 * others at its address.  A bad one gets 401, 400 or 403 while they are few,
 * and 429 when they are too many.
 *
 * A 429 has Retry-After with the exact seconds until the next try can succeed:
 * cargo does not wait by itself when it publishes, and others should not ask in vain.
 */

#include "call/call.h"

/*
 * What a route writes: `writes` of http/router.h.  Everything that a caller can repeat for ever is counted,
 * before the handler or in it.
 */
enum route_writes {
	WRITES_NOTHING,
	WRITES_CHANGE, /* settings, members, owners, packages: counted before the handler runs */
	WRITES_TOKEN, /* as above: a token is made or rotated */
	WRITES_JOB_TOKEN, /* as above: a token is made for a job, by a CI system */
	WRITES_OWN /* the handler counts, or each such write needs another one that is counted */
};

/*
 * Call it before the handler of a route with such writes.  Where the request has patience
 * (call/patience.h) and the limit frees up in time, it waits for that; so do rate_limit_charge_publish() and
 * rate_limit_charge_yank().  -1: 429, 503.
 */
int rate_limit_charge_route(struct call *, struct request *, enum route_writes)
    __attribute__((warn_unused_result));

/* Counts a token or session that a page makes for this user.  -1: 429, 503. */
int rate_limit_charge_user(struct worker_app *, struct request *, int64_t user_id)
    __attribute__((warn_unused_result));

/* Counts a token for a job of another system, by this rule.  -1: 429, 503. */
int rate_limit_charge_rule(struct worker_app *, struct request *, int64_t rule_id)
    __attribute__((warn_unused_result));

enum {
	RATE_LIMIT_JOB_TOTAL = 10, /* addresses that can use up their job logins at once */
	RATE_LIMIT_KEY_READS = 5 /* for one issuer, per minute */
};

/*
 * Charges a publish of this crate, whether it is new or gets a further version.  The n calls `beside` run
 * in the same round trip.  -1: 429, 503.
 */
int rate_limit_charge_publish(struct call *, struct request *, const char *normalized_name,
    struct db_call *beside, size_t n) __attribute__((warn_unused_result));

/* Charges a yank or unyank.  -1: 429, 503. */
int rate_limit_charge_yank(struct call *, struct request *) __attribute__((warn_unused_result));

/*
 * Call it before the body of a publish is read, to refuse the publish early.  It charges nothing, and
 * passes a limit that the publish can wait for.  The call `beside` runs in the same round trip.  -1: 429,
 * 503.
 */
int rate_limit_look_publish(struct call *, struct request *, struct db_call *beside)
    __attribute__((warn_unused_result));

/*
 * The caller was refused, and rq->err says why.  Counts a 401 (call/app_metrics.h).  Counts a bad
 * credential, on any route, against its address, and turns the error into 429
 * when there were too many.  Always -1.
 */
int rate_limit_note_refusal(struct call *, struct request *);

/*
 * The same for a credential in a body or a query: an identity token, the code of a link.  rq->err says
 * what is wrong with it; an error of ours (5xx) does not count.  Always -1.
 */
int rate_limit_note_bad_credential(struct worker_app *, struct request *);

/*
 * Counts a token that is no good, on a route that lets it in, as a bad credential, also in
 * berth_token_failures_total.  -1: 429, 503.
 */
int rate_limit_charge_ended_token(struct call *, struct request *) __attribute__((warn_unused_result));

/*
 * Call it before you ask GitLab about a job token that it has never vouched for.  -1: 429 GitLab did not know
 * too many tokens of this address, or (RATE_LIMIT_JOB_TOTAL times as many) of all addresses; 503.
 */
int rate_limit_look_job_login(struct worker_app *, struct request *) __attribute__((warn_unused_result));

/* Counts a token that GitLab does not know.  -1: 429 there were too many, 503. */
int rate_limit_charge_job_login(struct worker_app *, struct request *)
    __attribute__((warn_unused_result));

/*
 * The name under which a caller with a good token is counted: their user, whatever the
 * token; or the trust rule that has let the job in; or the token.
 */
const char *limits_actor(struct arena *, const struct access_facts *);

/*
 * Call it before you read an issuer's keys for a token with an unknown key: once a minute for each
 * address, and RATE_LIMIT_KEY_READS times for all.  -1: 503 with Retry-After, and the caller is told `why`.
 */
int rate_limit_charge_key_read(struct worker_app *, struct request *, int64_t issuer_id, const char *why)
    __attribute__((warn_unused_result));

#endif
