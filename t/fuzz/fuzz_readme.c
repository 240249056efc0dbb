#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "api/web/readme.h"
#include "base/utf8.h"
#include "markup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Whatever somebody writes: only elements and links that a README may have, closed in order; and no text is
 * shown in another order than it has.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct readme_source source = { MARKUP_SOURCE, "docs/README.md" };
	struct arena *a = arena_new();
	struct readme readme;
	uint32_t cp;

	readme_render(a, arena_strndup(a, (const char *)data, size), &source, &readme);
	assert(markup_fault(arena_slicedup(a, readme.markup.html))[0] == '\0');
	for (size_t i = 0; i < readme.markup.html.n; i++)
		assert(utf8_reorders(readme.markup.html.p + i, readme.markup.html.n - i, &cp) == 0);
	arena_free(a);
	return 0;
}
