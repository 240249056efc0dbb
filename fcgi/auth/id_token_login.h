#ifndef AUTH_ID_TOKEN_LOGIN_H
#define AUTH_ID_TOKEN_LOGIN_H

/*
 * Jobs that show an identity token: is it good, and which trust rule of the project lets its job
 * in?  Each comes in once (store/token/ci_token.h).
 */

#include "access/id_token.h"
#include "access/jwt.h"
#include "access/trust.h"
#include "call/call.h"
#include "store/token/issuer.h"

/* A token that was read, and whose issuer is known; nothing of it is proven yet. */
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
	const char *handle; /* of a token that Berth made; NULL, "": none */
	int64_t ttl; /* seconds, of the credential; 0: as long as the identity token */
	int64_t expires_at; /* out: when it ends */
};

/*
 * Proves it and lets its job into the project.  -1: rq->err; 400 it is not good, or was used
 * before, 403 no rule of the project lets it in (or there is no such project), 503.
 */
int id_token_login_admit(struct call *, struct request *, struct id_token_login *,
    const struct namespace_ref *, struct id_token_pass *) __attribute__((warn_unused_result));

#endif
