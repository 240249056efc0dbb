#ifndef ACCESS_JWK_H
#define ACCESS_JWK_H

/*
 * The public keys of an issuer of tokens, as its JWK Set has them (RFC 7517): RSA of 2048 to
 * 8192 bits for RS256, and EC on P-256 for ES256.  Bytes in, keys out; no I/O.
 */

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	JWK_KEYS_MAX = 100, /* of one set */
	JWK_KID_MAX = 255 /* bytes */
};

enum jwk_alg { JWK_RS256, JWK_ES256, JWK__NALGS };

/* "RS256", "ES256" */
extern const char *const jwk_alg_names[JWK__NALGS];

struct jwk {
	const char *kid;
	enum jwk_alg alg; /* by the type of the key: the only one that it is good for */
	void *key; /* EVP_PKEY */
};

struct jwk_set {
	struct jwk *keys;
	size_t n;
};

/*
 * The keys that can be used; they live as long as the arena.  Others, without a `kid`, for
 * encryption, of another type, curve or size, are passed over, as issuers publish such too.  -1:
 * 400, it is no JWK Set, has too many keys, or none that can be used.
 */
int jwk_set_parse(struct arena *, struct slice text, struct jwk_set *, struct err *)
    __attribute__((warn_unused_result));

/* The first key of that `kid` and algorithm, or NULL. */
const struct jwk *jwk_find(const struct jwk_set *, const char *kid, enum jwk_alg);

#endif
