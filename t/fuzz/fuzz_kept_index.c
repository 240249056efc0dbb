#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "store/kept_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What a file begins with that is kept for the pool. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct kept_head head;

	if (kept_index_parse(slice_of((const char *)p, n), &head)) {
		assert(head.size <= n && p[head.size - 1] == '\n');
		assert(head.etag[0] != '\0' || p[0] == '\0');
		assert(head.time >= 0 && head.length > 0 && head.length <= CRATE_INDEX_MAX);
	}
	return 0;
}
