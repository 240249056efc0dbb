#ifndef AUTH_ID_TOKEN_LOGIN_H
#define AUTH_ID_TOKEN_LOGIN_H

/*
 * Logs in jobs that show an identity token: checks the token, and finds the trust rule of the project that
 * lets its job in.  Each token is accepted once (store/token/ci_token.h).
 */

#include "access/id_token.h"
#include "access/jwt.h"
#include "access/trust.h"
#include "call/call.h"
#include "store/token/issuer.h"

/* A decoded token and its known issuer; the signature is not verified yet. */
struct id_token_login {
	struct jwt jwt;
	struct issuer_keys issuer;
	const char *audience; /* the wanted audience, besides the project's registry */
};

/*
 * Reads it and looks for its issuer: login->issuer.found.  -1: rq->err; 400 it is malformed.
 */
int id_token_login_read(struct worker_app *, struct request *, struct slice text,
    struct id_token_login *) __attribute__((warn_unused_result));

/* What the job gets. */
struct id_token_pass {
	bool exchanged; /* for a token of ours; else its own token is the credential */
	const unsigned char *digest; /* of the credential */
	const unsigned char *first_digest; /* with which it came first (store/token/ci_token.h); NULL: `digest` */
	const char *handle; /* of a token that Berth made; NULL, "": none */
	int64_t ttl; /* seconds, of the credential; 0: as long as the identity token */
	int64_t expires_at; /* out: when it ends */
};

/*
 * Verifies the token and lets its job into the project.  If the namespace is a group, the job gets into the
 * first project below it that has a rule for the job.  -1:
 * rq->err; 400 the token is not valid, or was used before; 403 no rule lets the job in, or the project does
 * not exist; 503.
 */
int id_token_login_admit(struct call *, struct request *, struct id_token_login *, enum namespace_kind,
    const struct namespace_ref *, struct id_token_pass *) __attribute__((warn_unused_result));

/* Trust rules, and the project of each. */
struct id_token_rules {
	int64_t *ids, *projects;
	size_t n;
};

/*
 * Verifies the token, and finds in each project below the group the rule that would let its job in, without
 * letting it in.  A project whose trusted publishing is switched off counts, too.  -1: 400 the token is not
 * valid for the group; 503.
 */
int id_token_login_rules(struct call *, struct request *, struct id_token_login *,
    const struct namespace_ref *group, struct id_token_rules *) __attribute__((warn_unused_result));

#endif
