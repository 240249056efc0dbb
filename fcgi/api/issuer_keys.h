#ifndef API_ISSUER_KEYS_H
#define API_ISSUER_KEYS_H

/*
 * The key that an identity token is said to be signed with, from those of its issuer.  Keys are
 * kept in the database, for all workers of all hosts, and are read anew when they are an hour old, at most once
 * a minute.  For a key that is not known they are read at once, within the budget of
 * limits_charge_key_read().  Where the issuer cannot be reached, those that are known stay in use for
 * issuer_keys_max_age.
 */

#include "access/jwt.h"
#include "api/app.h"
#include "store/issuer.h"

/*
 * -1: rq->err; 400 the issuer has no such key: it was asked after the token came; 503 its keys are not
 * known and cannot be read now.
 */
int issuer_keys_find(struct worker_app *, struct request *, struct issuer_keys *,
    const struct jwt *, const struct jwk **) __attribute__((warn_unused_result));

#endif
