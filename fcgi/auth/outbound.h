#ifndef AUTH_OUTBOUND_H
#define AUTH_OUTBOUND_H

/*
 * Asks other systems for a login, which takes a slot first (call/outbound_slot.h) and never waits for one.
 * If there is none, a login with a job token of GitLab is refused; the keys of an issuer are read all the
 * same.
 */

#include "call/app.h"
#include "net/https_get.h"

/* https_get() as the configuration says, within the time of the request. */
int outbound_get(const struct worker_app *, const struct request *, const struct https_get *,
    struct https_answer *, struct err *) __attribute__((warn_unused_result));

/* Sets err to the 503 of a request that has found no slot.  Returns -1. */
int outbound_refuse(struct err *);

#endif
