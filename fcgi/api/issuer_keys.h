#ifndef API_ISSUER_KEYS_H
#define API_ISSUER_KEYS_H

/*
 * The key that an identity token is said to be signed with, from those of its issuer.  Keys are
 * kept in the database, for all workers of all hosts; they are read anew where one is not known, or
 * all are an hour old, and at most once a minute, whatever tokens come.  Where the issuer cannot
 * be reached those that are known stay in use.
 */

#include "access/jwt.h"
#include "api/app.h"
#include "store/issuer.h"

/*
 * -1: rq->err; 400 the issuer has no such key, 503 its keys are not known and cannot be
 * read.
 */
int issuer_keys_find(struct worker_app *, struct request *, struct issuer_keys *,
    const struct jwt *, const struct jwk **) __attribute__((warn_unused_result));

#endif
