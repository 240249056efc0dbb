#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "api/web/readme.h"
#include "markup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever somebody writes: only elements, links and images that a README may have, closed in order. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct readme_source sources[] = { { MARKUP_SOURCE, "docs/README.md", false },
		{ MARKUP_SOURCE, "docs/README.md", true } };
	struct arena *a = arena_new();
	struct readme readme;

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		const char *html;

		readme_render(a, arena_strndup(a, (const char *)data, size), &sources[i], &readme);
		html = arena_slicedup(a, readme.markup.html);
		assert(markup_fault(html)[0] == '\0');
		assert(readme.has_images == (strstr(html, "<img ") != NULL));
	}
	arena_free(a);
	return 0;
}
