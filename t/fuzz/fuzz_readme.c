#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "api/web/readme.h"
#include "base/utf8.h"
#include "markup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * For any input: the output has only elements, links and images that a README may have, closed in order, and
 * no text is shown in another order than it has.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct readme_source sources[] = { { MARKUP_SOURCE, "docs/README.md", false },
		{ MARKUP_SOURCE, "docs/README.md", true } };
	struct arena *a = arena_new();
	struct readme readme;
	uint32_t cp;

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		const char *html;

		readme_render(a, arena_strndup(a, (const char *)data, size), &sources[i], &readme);
		html = arena_slicedup(a, readme.markup.html);
		assert(markup_fault(html)[0] == '\0');
		assert(readme.has_images == (strstr(html, "<img ") != NULL));
		for (size_t j = 0; j < readme.markup.html.n; j++)
			assert(utf8_reorders(readme.markup.html.p + j, readme.markup.html.n - j, &cp) == 0);
	}
	arena_free(a);
	return 0;
}
