#ifndef AUTH_ISSUER_KEYS_H
#define AUTH_ISSUER_KEYS_H

/*
 * Finds the key of an identity token among those of its issuer.  The database keeps the keys for all
 * workers of all hosts.  Berth reads them from the issuer again when they are an hour old, at most once a
 * minute; and at once for an unknown key, within the budget of rate_limit_charge_key_read().  While the
 * issuer cannot be reached, known keys stay in use for issuer_keys_max_age.
 */

#include "access/jwt.h"
#include "call/app.h"
#include "store/token/issuer.h"

/*
 * -1: rq->err; 400 the issuer has no such key, by an answer younger than the token; 503 its keys are
 * unknown and cannot be read now.
 */
int issuer_keys_find(struct worker_app *, struct request *, struct issuer_keys *,
    const struct jwt *, const struct jwk **) __attribute__((warn_unused_result));

#endif
