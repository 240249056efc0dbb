#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "http/cookie.h"
#include "http/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No text can end an element or an attribute; a cookie is a piece of its header. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	char *text = arena_strndup(a, (const char *)data, size);
	struct slice cookie = cookie_find(text, "a");
	struct buf b;

	buf_init(&b, a, 6 * size + 1);
	html_text(&b, text);
	assert(!buf_full(&b) && b.n >= strlen(text));
	assert(strpbrk(buf_str(&b), "<>\"'") == NULL);
	assert(cookie.n <= strlen(text) && memchr(cookie.p, ';', cookie.n) == NULL);
	arena_free(a);
	return 0;
}
