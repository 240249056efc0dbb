#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "api/web/readme.h"
#include "markup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever somebody writes: only elements and links that a README may have, closed in order. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct readme_source source = { MARKUP_SOURCE, "docs/README.md" };
	struct arena *a = arena_new();
	struct readme readme;

	readme_render(a, arena_strndup(a, (const char *)data, size), &source, &readme);
	assert(markup_fault(arena_slicedup(a, readme.markup.html))[0] == '\0');
	arena_free(a);
	return 0;
}
