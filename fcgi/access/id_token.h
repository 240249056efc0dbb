#ifndef ACCESS_ID_TOKEN_H
#define ACCESS_ID_TOKEN_H

/*
 * The claims that every identity token must have right (OpenID Connect Core, section 3.1.3.7),
 * once its signature is known to be good.  No I/O; the caller has the clock.
 */

#include <stdint.h>

#include <json-c/json.h>

#include "access/jwt.h"
#include "base/err.h"

enum {
	ID_TOKEN_LEEWAY_S = 60, /* by which clocks may differ */
	ID_TOKEN_LIFE_MAX_S = 30 * 86400, /* from iat to exp: no job runs longer */
	ID_TOKEN_DIGEST_SIZE = 32
};

struct id_token {
	int64_t expires_at; /* seconds since 1970, without the leeway */
	/*
	 * Identifies the token: SHA-256 of issuer and `jti`.  Where the issuer gives no `jti`, it is the
	 * SHA-256 of issuer and signed text, since one text can have more than one valid signature.
	 */
	unsigned char digest[ID_TOKEN_DIGEST_SIZE];
};

/* The issuer that an unverified token claims; NULL: it claims none. */
const char *id_token_issuer(const struct jwt *);

/* The values that a token's claims must have. */
struct id_token_expected {
	const char *issuer;
	const char *audience;
	/*
	 * "host/api/v4/projects/7/packages/cargo", a second audience: the registry's URL without its
	 * scheme, in any case.  NULL: none.
	 */
	const char *registry;
	int64_t now; /* seconds since 1970 */
};

/*
 * Does the token come from the issuer, for one of these audiences, and is it valid now?
 * -1: 400, with the token's value and the wanted one, in bounded length; 500 OpenSSL fails.
 */
int id_token_check(const struct jwt *, const struct id_token_expected *, struct id_token *,
    struct err *) __attribute__((warn_unused_result));

#endif
