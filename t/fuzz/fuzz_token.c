#include <assert.h>
#include <stdint.h>

#include "access/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The header as it comes, and what was found in it as a token. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	unsigned char digest[TOKEN_DIGEST_SIZE];
	enum token_kind kind;
	struct slice token;
	struct err err = { 0 };
	char *header = arena_strndup(a, (const char *)p, n);

	if (token_from_authorization(a, header, &token, &err) == 0) {
		for (size_t i = 0; i < token.n; i++)
			assert(token.p[i] > 0x20 && token.p[i] < 0x7f);
		if (token_parse(token, &kind, digest))
			assert(kind < TOKEN__MAX);
	} else {
		assert(token.n == 0 && (err.status == 400 || err.status == 401));
	}
	(void)token_parse(slice_of((const char *)p, n), &kind, digest);
	arena_free(a);
	return 0;
}
