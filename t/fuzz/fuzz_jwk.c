#include <assert.h>
#include <stdint.h>

#include "access/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* A set of keys as an issuer might publish it. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	struct jwk_set set;
	struct err err = { 0 };

	if (jwk_set_parse(a, slice_of((const char *)p, n), &set, &err) == 0) {
		assert(set.n > 0 && set.n <= JWK_KEYS_MAX);
		for (size_t i = 0; i < set.n; i++) {
			assert(set.keys[i].key != NULL && set.keys[i].kid[0] != '\0');
			assert(jwk_find(&set, set.keys[i].kid, set.keys[i].alg) != NULL);
		}
	} else {
		assert(err.status == 400);
	}
	arena_free(a);
	return 0;
}
