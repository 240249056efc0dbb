#ifndef ACCESS_JWT_H
#define ACCESS_JWT_H

/*
 * JSON Web Tokens (RFC 7519) in the one form that identity tokens of CI jobs have: signed, three parts.
 * Everything is read strictly and bounded.  The header cannot choose an algorithm or name an address for a
 * key: the type of Berth's own key decides the algorithm.  Bytes in, struct out; no I/O.
 */

#include <stdbool.h>

#include <json-c/json.h>

#include "access/jwk.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum { JWT_MAX = 8192 }; /* bytes of the whole token */

struct jwt {
	enum jwk_alg alg; /* as it claims */
	const char *kid;
	struct json_object *claims; /* an object; not to be believed before jwt_verify() */
	struct slice signed_part; /* borrowed from the text */
	struct slice signature; /* decoded */
};

/*
 * Does the text have the form of a JWT: three parts of base64url digits, with dots between?  Verifies
 * nothing.
 */
bool jwt_looks_like(struct slice text);

/*
 * Decodes the token without verifying it.  -1: 400, it is malformed or too long, has no `kid`, or an
 * algorithm other than RS256 and ES256 (also "none").
 */
int jwt_decode(struct arena *, struct slice text, struct jwt *, struct err *)
    __attribute__((warn_unused_result));

/* Was it signed by the owner of the key?  -1: 400. */
int jwt_verify(const struct jwt *, const struct jwk *, struct err *)
    __attribute__((warn_unused_result));

#endif
