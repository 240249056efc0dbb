#include "http/html.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

static const char *
entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void
html_text(struct buf *b, const char *text)
{
	if (text == NULL)
		return;
	for (; *text != '\0'; text++) {
		const char *entity = entity_of(*text);

		if (entity != NULL)
			buf_puts(b, entity);
		else
			buf_putc(b, *text);
	}
}

void
html_printf(struct buf *b, const char *markup, ...)
{
	va_list ap;

	va_start(ap, markup);
	for (const char *percent; (percent = strchr(markup, '%')) != NULL; markup = percent + 2) {
		buf_put(b, markup, (size_t)(percent - markup));
		assert(percent[1] == 's' || percent[1] == '%');
		if (percent[1] == 's')
			html_text(b, va_arg(ap, const char *));
		else
			buf_putc(b, '%');
	}
	va_end(ap);
	buf_puts(b, markup);
}
