#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "crate/search_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_words(const char *words)
{
	size_t quotes = 0;

	for (const char *p = words; *p != '\0'; p++) {
		quotes += *p == '\'';
		assert(*p != '\\' && (quotes % 2 == 0 || *p != ' '));
	}
	assert(quotes % 2 == 0 && quotes / 2 <= SEARCH_QUERY_WORDS_MAX);
}

/* What goes to the database as syntax holds no quote but its own; what LIKE reads is escaped. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct search_query q;

	/* a query has no NUL */
	if (memchr(data, '\0', size) == NULL) {
		search_query_parse(a, slice_of((const char *)data, size), &q);
		check_words(q.words);
		check_words(q.begun);
		assert(strlen(q.name) <= size && strlen(q.text) <= size);
		for (const char *p = q.like != NULL ? q.like + 1 : "%"; *p != '\0'; p++) {
			assert(*p != '_' && (*p != '%' || p[1] == '\0'));
			p += *p == '\\';
		}
	}
	arena_free(a);
	return 0;
}
