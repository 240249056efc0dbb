#ifndef AUTH_CI_LOGIN_H
#define AUTH_CI_LOGIN_H

/*
 * Logs in a job of another CI system by a credential that Berth did not make and does not know, or no
 * longer knows.  Berth then stores a token under the credential's digest, so that the next request finds it
 * like any other.
 */

#include "call/call.h"

/* Does the call have such a credential? */
bool ci_login_is_due(const struct call *);

/*
 * namespace: the project that the request is about, or the group whose registry it asks; { 0 }: none.  -1:
 * rq->err; 401 no CI system knows the credential, or no trust rule there lets the job in; 503 a CI system
 * does not answer.
 */
int ci_login(struct call *, struct request *, const struct namespace_ref *namespace)
    __attribute__((warn_unused_result));

/*
 * Call it when the project of a request to the registry of a group is known, before the decision.  The rule
 * that counts for a job with an identity token is one of that project, not the first that let the job in: if
 * the project has one, the call is from here on that of a token of its own.  Else, or if that token was
 * revoked, it stays as it is.  The
 * steps are the same for a name that no project has, so that the time tells nothing.  -1: 429, 503.
 */
int ci_login_to_project(struct call *, struct request *) __attribute__((warn_unused_result));

/*
 * For a request to the registry of a group that is about no crate, such as a search: the facts of a job with
 * an identity token in the projects whose own rules let it in, as ci_login_to_project() would find them.  It
 * logs in nowhere.  Other callers get none.  -1: 429, 503.
 */
int ci_login_projects(struct call *, struct request *, struct access_facts **, size_t *n)
    __attribute__((warn_unused_result));

#endif
