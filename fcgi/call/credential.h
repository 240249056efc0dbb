#ifndef CALL_CREDENTIAL_H
#define CALL_CREDENTIAL_H

/*
 * The credential of a request, on every route: `Authorization`, or what GitLab's clients send:
 * `PRIVATE-TOKEN` for a token of a user, `DEPLOY-TOKEN`, `JOB-TOKEN`.
 */

#include "access/access.h"
#include "access/token.h"
#include "http/request.h"

struct request_credential {
	enum credential kind;
	unsigned char digest[TOKEN_DIGEST_SIZE]; /* of CREDENTIAL_TOKEN */
	char handle[TOKEN_HANDLE_SIZE]; /* its slot and handle; "": none */
	bool plain; /* nginx can read it, too: Authorization, bare or after Bearer or Token */
	/*
	 * The text of a credential that Berth did not make, but that a job of another CI system may have.
	 * It is looked up like any other; if the database does not know it, auth/ci_login.h finds its job.
	 */
	struct slice foreign;
};

/*
 * -1: 400 the request has more than one credential, or one of these headers twice; 401 an
 * Authorization that cannot be read, or a token of Berth under the header of another kind.  The credential
 * is malformed then, as is one of another system under any header but JOB-TOKEN.
 */
int credential_read(struct request *, const struct token_keys *, struct request_credential *)
    __attribute__((warn_unused_result));

#endif
