#ifndef AUTH_CI_LOGIN_H
#define AUTH_CI_LOGIN_H

/*
 * A credential that is not ours, and not known or known no longer: is it that of a job of another
 * CI system?  Where it is, a token is made for it under its digest, so that the next request finds
 * it like any other.
 */

#include "call/call.h"

/* Is it such a credential, which the database does not know, or does not let in any more? */
bool ci_login_is_due(const struct call *);

/*
 * namespace: the project that the request is about; { 0 }: none.  -1: rq->err; 401 it is nobody's, or
 * no trust rule of the project lets the job in, 503 whoever would know cannot be asked.
 */
int ci_login(struct call *, struct request *, const struct namespace_ref *namespace)
    __attribute__((warn_unused_result));

#endif
