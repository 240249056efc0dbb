#include <assert.h>
#include <stdint.h>

#include "access/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The header as it comes, and what was found in it as a token. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct token_keys keys = {
		.registry_id = "00000000-0000-4000-8000-000000000001",
		.v = { { "k1", "0123456789012345678901234567890123456789012" } },
		.n = 1,
	};
	struct arena *a = arena_new();
	struct token t;
	struct slice token;
	struct err err = { 0 };
	char *header = arena_strndup(a, (const char *)p, n);

	if (token_from_authorization(a, header, &token, &err) == 0) {
		for (size_t i = 0; i < token.n; i++)
			assert(token.p[i] > 0x20 && token.p[i] < 0x7f);
		if (token_parse(token, &keys, &t))
			assert(t.kind < TOKEN__MAX);
	} else {
		assert(token.n == 0 && (err.status == 400 || err.status == 401));
	}
	(void)token_parse(slice_of((const char *)p, n), &keys, &t);
	arena_free(a);
	return 0;
}
