#ifndef API_LIMITS_H
#define API_LIMITS_H

/*
 * How fast one caller may write, by the *_burst and *_per_minute of the configuration.
 * Counted are users, tokens that belong to no user, and, for credentials that are not good,
 * addresses.  A credential is looked up before anything is counted: a good one is never refused for what
 * others at its address did, and a bad one is refused with 401, 400 or 403 as long as there are few,
 * and with 429 when there are too many.
 *
 * A 429 has Retry-After with the seconds until a token is there and no
 * fewer, since the publishing cargo does not wait by itself and others should not ask in vain.
 */

#include "api/call.h"

/*
 * What a route writes: `writes` of http/router.h.  All that a caller may repeat for ever is counted,
 * before the handler runs or in it.
 */
enum limits_route {
	LIMITS_READS,
	LIMITS_CHANGE, /* settings, members, owners, packages: counted before the handler runs */
	LIMITS_TOKEN, /* as above: a token is made, and of a rotation everybody's decisions end */
	LIMITS_JOB_TOKEN, /* as above: the same for a job, by a CI system */
	LIMITS_OWN /* the handler counts, or there is no more of it than of something that is counted */
};

/* Before the handler of a route that writes so.  -1: 429, 503. */
int limits_charge_route(struct call *, struct request *, enum limits_route)
    __attribute__((warn_unused_result));

/* A token or session that a page makes for this user.  -1: 429, 503. */
int limits_charge_user(struct worker_app *, struct request *, int64_t user_id)
    __attribute__((warn_unused_result));

/* A token for a job of another system, by this rule.  -1: 429, 503. */
int limits_charge_rule(struct worker_app *, struct request *, int64_t rule_id)
    __attribute__((warn_unused_result));

enum {
	LIMITS_JOB_TOTAL = 10, /* addresses that may use up their job logins at once */
	LIMITS_KEY_READS = 5 /* of one issuer, in a minute */
};

/* A publish of this crate: a new one, or a version more.  -1: 429, 503. */
int limits_charge_publish(struct call *, struct request *, const char *normalized_name)
    __attribute__((warn_unused_result));

/* A yank or unyank.  -1: 429, 503. */
int limits_charge_yank(struct call *, struct request *) __attribute__((warn_unused_result));

/*
 * Before the body of a publish is read: is it of use?  Charges nothing; the call goes along in the
 * round trip.  -1: 429, 503.
 */
int limits_look_publish(struct call *, struct request *, struct db_call *beside)
    __attribute__((warn_unused_result));

/*
 * The caller was refused, and rq->err says how.  A 401 is counted (api/app_metrics.h); for a
 * credential that is not good, on whatever route, it counts against the address as well, and becomes a 429
 * when there were too many.  Always -1.
 */
int limits_note_refusal(struct call *, struct request *);

/*
 * The same of a credential in a body or a query: an identity token, the code of a link.  rq->err says
 * what is wrong with it; a fault of ours (5xx) counts for nothing.  Always -1.
 */
int limits_note_bad_credential(struct worker_app *, struct request *);

/*
 * Before GitLab is asked about a job token that it has never vouched for: has it been asked about too many
 * that it does not know, of this address, or (LIMITS_JOB_TOTAL times as many) of all?  -1: 429, 503.
 */
int limits_look_job_login(struct worker_app *, struct request *) __attribute__((warn_unused_result));

/* GitLab does not know this one.  -1: 429 where there were too many, 503. */
int limits_charge_job_login(struct worker_app *, struct request *)
    __attribute__((warn_unused_result));

/*
 * The name under which a caller is counted who has shown a good token: their user, whatever the
 * token; or the trust rule that has let the job in; or the token.
 */
const char *limits_actor(struct arena *, const struct access_facts *);

/*
 * The keys of that issuer are to be read for a token whose key is not among them: once a minute for each
 * address, and LIMITS_KEY_READS times for all.  -1: 503 with Retry-After.
 */
int limits_charge_key_read(struct worker_app *, struct request *, int64_t issuer_id)
    __attribute__((warn_unused_result));

/*
 * The name under which an address is counted; NULL where there is none.  Of IPv6 the first
 * half counts, since the other is the client's to choose.
 */
const char *limits_address(struct arena *, const char *remote_addr);

#endif
