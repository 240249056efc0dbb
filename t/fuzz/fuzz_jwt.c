#include <assert.h>
#include <stdint.h>

#include "access/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* A point of P-256: the generator.  Nobody has signed anything with it. */
static const char keys[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
    "\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
    "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}]}";

/* A token as it comes; what is read of it holds what it promises, and it is never good. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	struct slice text = slice_of((const char *)p, n);
	bool shaped = jwt_looks_like(text);
	struct jwk_set set;
	struct jwt jwt;
	struct err err = { 0 };

	assert(jwk_set_parse(a, slice_str(keys), &set, &err) == 0 && set.n == 1);
	if (jwt_decode(a, text, &jwt, &err) == 0) {
		assert(n <= JWT_MAX && jwt.alg < JWK__NALGS && jwt.signed_part.n < n);
		assert(strlen(jwt.kid) <= JWK_KID_MAX);
		assert(json_object_is_type(jwt.claims, json_type_object));
		assert(jwt_verify(&jwt, &set.keys[0], &err) == -1 && err.status == 400);
	} else {
		assert(err.status == 400);
	}
	assert(!shaped || n <= JWT_MAX);
	arena_free(a);
	return 0;
}
