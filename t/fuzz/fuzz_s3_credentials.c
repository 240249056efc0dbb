#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "net/s3_credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The file of store_credentials. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	struct s3_credentials c;
	struct err err = { 0 };

	if (s3_credentials_parse(a, slice_of((const char *)p, n), "the file", &c, &err) == 0)
		assert(c.key_id[0] != '\0' && c.secret[0] != '\0' && strchr(c.secret, '\n') == NULL);
	else
		assert(err.status == 500);
	arena_free(a);
	return 0;
}
