#ifndef STORE_TOKEN_JOB_TOKEN_H
#define STORE_TOKEN_JOB_TOKEN_H

/*
 * Tokens of jobs that a CI system makes and revokes with a deploy token that may do nothing else; and the
 * job of a token.
 */

#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"
#include "store/token/token.h"

/*
 * Takes username, digest, name and job, for ttl seconds from now on.  Only for members of the
 * project: whoever holds the deploy token must not act for everybody.  -1: 400, 404 nobody of
 * that name is a member.
 */
int job_token_mint(struct db *, struct arena *, const struct audit_actor *, int64_t project_id,
    const struct token_new *, int64_t ttl, int64_t *id, int64_t *expires_at, struct err *)
    __attribute__((warn_unused_result));

/* Refused from the next request on.  -1: 404 no such token was made for that project. */
int job_token_end(struct db *, struct arena *, const struct audit_actor *, int64_t project_id,
    int64_t id, struct err *) __attribute__((warn_unused_result));

/* Ids are 0 and texts NULL where unknown. */
struct job_of_token {
	struct token_job job;
	const char *name;
	const char *issuer; /* of another CI system */
	int64_t created_at;
	int64_t expires_at;
	int64_t user_id;
	const char *username;
	const char *user_name;
	int64_t project_id;
	const char *project;
};

/* -1: 404, it is no job's. */
int job_token_find(struct db *, struct arena *, int64_t token_id, struct job_of_token *,
    struct err *) __attribute__((warn_unused_result));

#endif
