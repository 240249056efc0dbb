#ifndef API_LIMITS_H
#define API_LIMITS_H

/*
 * How fast one caller may write, by the *_burst and *_per_minute of the configuration.
 * Counted are users, tokens that belong to no user, and, for tokens that are not good,
 * addresses: from one that has sent too many of them nothing is written for a while, whoever
 * asks.  Reads are neither counted nor stopped.
 *
 * Who is stopped gets 429.  Retry-After has the seconds until a token is there and no
 * fewer, since the publishing cargo does not wait by itself and others should not ask in vain.
 */

#include "api/app.h"

/* A publish of this crate: a new one, or a version more.  -1: 429, 503. */
int limits_charge_publish(struct worker_app *, struct request *, const char *normalized_name)
    __attribute__((warn_unused_result));

/* A yank or unyank.  -1: 429, 503. */
int limits_charge_yank(struct worker_app *, struct request *) __attribute__((warn_unused_result));

/*
 * Before the body of a publish is read: is it of use?  Charges nothing; the call goes along in the
 * round trip.  -1: 429, 503.
 */
int limits_look_publish(struct worker_app *, struct request *, struct db_call *beside)
    __attribute__((warn_unused_result));

/*
 * The caller was refused, rq->err says how, which is counted (api/app_metrics.h).  Where it was
 * for a credential that is not good, and they wanted to write, it counts against the address, and becomes a 429 when
 * there were too many.  Always -1.
 */
int limits_note_refusal(struct worker_app *, struct request *, enum credential, enum action);

/*
 * Before another system is asked about a credential: have too many of this address been bad?  -1:
 * 429, 503.
 */
int limits_look_login(struct worker_app *, struct request *) __attribute__((warn_unused_result));

/* One was.  -1: 429 where there were too many, 503. */
int limits_charge_login(struct worker_app *, struct request *) __attribute__((warn_unused_result));

/*
 * The name under which a caller is counted who has shown a good token: their user, whatever the
 * token; or the trust rule that has let the job in; or the token.
 */
const char *limits_actor(struct arena *, const struct access_facts *);

/*
 * The name under which an address is counted; NULL where there is none.  Of IPv6 the first
 * half counts, since the other is the client's to choose.
 */
const char *limits_address(struct arena *, const char *remote_addr);

#endif
