#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "access/token_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The file that the pool and nginx share. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct token_keys keys;
	struct err err = { 0 };

	if (token_keys_parse(slice_of((const char *)p, n), &keys, &err) == 0) {
		assert(strlen(keys.registry_id) == REGISTRY_ID_LENGTH);
		for (size_t i = 0; i < keys.n; i++) {
			assert(strlen(keys.v[i].key) == TOKEN_KEY_LENGTH);
			assert(token_keys_find(&keys, slice_str(keys.v[i].slot)) == &keys.v[i]);
		}
	} else {
		assert(err.status == 500 && keys.n == 0);
	}
	return 0;
}
