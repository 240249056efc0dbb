#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "http/cookie.h"
#include "http/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No written character changes the order in which a text is shown. */
static void
check_order(const struct buf *b)
{
	uint32_t cp;

	for (size_t i = 0; i < b->n; i++)
		assert(utf8_reorders(b->p + i, b->n - i, &cp) == 0);
}

/* No text can end an element, an attribute or a part of an address, and no link runs; a cookie is a piece
 * of its header. */
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
	check_order(&b);
	buf_reset(&b);
	html_visible(&b, slice_str(text));
	assert(!buf_full(&b) && b.n >= strlen(text));
	check_order(&b);
	buf_reset(&b);
	html_xml(&b, text);
	assert(!buf_full(&b) && strpbrk(buf_str(&b), "<>\"'\x01\x08\x0b\x1f") == NULL);
	check_order(&b);
	buf_reset(&b);
	html_part(&b, text);
	assert(!buf_full(&b) && strpbrk(buf_str(&b), "<>\"'&/?#:\\") == NULL);
	buf_reset(&b);
	html_link(&b, text);
	assert(!buf_full(&b) && strpbrk(buf_str(&b), "<>\"'") == NULL);
	assert(b.n == 0 || strncmp(buf_str(&b), "http", 4) == 0);
	assert(cookie.n <= strlen(text) && memchr(cookie.p, ';', cookie.n) == NULL);
	arena_free(a);
	return 0;
}
