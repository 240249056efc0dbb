#ifndef STORE_TOKEN_DEPLOY_TOKEN_H
#define STORE_TOKEN_DEPLOY_TOKEN_H

/* The deploy tokens of one project or group, as its maintainers see them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"

/* Where: one of the two is 0. */
struct deploy_token_namespace {
	int64_t project_id;
	int64_t group_id;
};

struct deploy_token {
	int64_t id;
	const char *name;
	const char *login; /* the user name that goes with it */
	const char *scopes; /* with commas between */
	const char *expires_at; /* as clients read it; NULL: never */
	bool revoked;
	bool expired;
};

/*
 * Lists them in the order in which they were made.  active: NULL: all; else only those that are, or are not,
 * valid.
 */
int deploy_token_list(struct db *, struct arena *, const struct deploy_token_namespace *,
    const bool *active, struct deploy_token **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* -1: 404 the namespace has no such token. */
int deploy_token_find(struct db *, struct arena *, const struct deploy_token_namespace *, int64_t id,
    struct deploy_token *, struct err *) __attribute__((warn_unused_result));

/* Refused from the next request on; it may be revoked already.  -1: 404. */
int deploy_token_revoke(struct db *, struct arena *, const struct audit_actor *,
    const struct deploy_token_namespace *, int64_t id, struct err *)
    __attribute__((warn_unused_result));

#endif
