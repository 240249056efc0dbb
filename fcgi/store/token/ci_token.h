#ifndef STORE_TOKEN_CI_TOKEN_H
#define STORE_TOKEN_CI_TOKEN_H

/*
 * Tokens of jobs that other CI systems vouch for: rows like those of other tokens, found by the digest of
 * the credential.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/audit.h"
#include "store/db/db.h"
#include "store/token/token.h"

/* A job that came with an identity token and is trusted by a rule. */
struct ci_token_admission {
	int64_t rule_id;
	const char *owner_id; /* of the repository, to be kept with the rule; NULL: leave it */
	struct slice id_digest; /* of the identity token (access/id_token.h) */
	int64_t id_ends_at; /* the end of its life, in seconds since 1970 */
	bool exchanged; /* for a token of ours; else the identity token is the credential */
	struct slice digest; /* of the credential */
	/* the digest with which the identity token came first: `digest`, unless this is for a further project */
	struct slice first_digest;
	const char *handle; /* of a token that Berth made; NULL, "": none */
	int64_t expires_at;
	const char *repository; /* this and the following: NULL where unknown */
	struct token_job job; /* pipeline and job: 0 where unknown */
	const char *claims; /* JSON, for the audit */
};

/*
 * Admits the job, once for each identity token, in one transaction.  An identity token that is itself the
 * credential may come again: its row stays as it is, and each further project of a group has a row.
 * -1: 400 the identity token was used before, 403 the rule was removed, or belongs to another owner of the
 * repository.
 */
int ci_token_admit(struct db *, struct arena *, const struct audit_actor *,
    const struct ci_token_admission *, struct err *) __attribute__((warn_unused_result));

/* Removes some rows about credentials that have expired, or whose refusal has; *n: how many.  -1: 503. */
int ci_token_sweep(struct db *, struct arena *, int64_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
