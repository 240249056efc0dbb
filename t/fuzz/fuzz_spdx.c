/* Expressions of licences: two that are known are known together. */

#include <assert.h>
#include <stdint.h>

#include "base/arena.h"
#include "crate/spdx.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	struct slice text = slice_of((const char *)p, n);

	if (spdx_knows(text)) {
		assert(spdx_knows(slice_str(arena_printf(a, "%.*s OR MIT", (int)n, text.p))));
		assert(spdx_knows(slice_str(arena_printf(a, "ISC AND (%.*s)", (int)n, text.p))));
	}
	arena_free(a);
	return 0;
}
