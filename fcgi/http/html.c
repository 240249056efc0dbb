#include "http/html.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/url.h"
#include "base/utf8.h"

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
	default:
		return "&#39;";
	}
}

/* The first byte, in UTF-8, of all characters that change the order of a text, and of other characters. */
enum { ORDER_LEAD = '\xe2' };

/*
 * If the character at p (n bytes left) changes the order of the text, writes its code; else writes its first
 * byte.  Returns how many bytes of the text it has written.
 */
static size_t
put_lead(struct buf *b, const char *p, size_t n)
{
	uint32_t cp;
	size_t length = utf8_reorders(p, n, &cp);

	if (length > 0) {
		buf_printf(b, "\xe2\x80\xb9U+%04" PRIX32 "\xe2\x80\xba", cp);
		return length;
	}
	buf_putc(b, *p);
	return 1;
}

void
html_visible(struct buf *b, struct slice text)
{
	while (text.n > 0) {
		const char *lead = memchr(text.p, (unsigned char)ORDER_LEAD, text.n);
		size_t n = lead != NULL ? (size_t)(lead - text.p) : text.n;

		buf_put(b, text.p, n);
		if (lead != NULL)
			n += put_lead(b, lead, text.n - n);
		text = slice_of(text.p + n, text.n - n);
	}
}

#define SPECIAL "&<>\"'\xe2"

/* Escapes a text up to `end`, which is in `special` unless it is NUL; returns where it stopped. */
static const char *
put_until(struct buf *b, const char *text, const char *special, char end)
{
	for (;;) {
		size_t n = strcspn(text, special);

		buf_put(b, text, n);
		text += n;
		if (*text == '\0' || *text == end)
			return text;
		if (*text == ORDER_LEAD) {
			text += put_lead(b, text, strnlen(text, 3));
		} else {
			buf_puts(b, entity_of(*text));
			text++;
		}
	}
}

void
html_text(struct buf *b, const char *text)
{
	if (text != NULL)
		put_until(b, text, SPECIAL, '\0');
}

void
html_sentence(struct buf *b, const char *text)
{
	static const char special[] = SPECIAL "`";

	if (text == NULL)
		return;
	text = put_until(b, text, special, '`');
	while (*text == '`' && strchr(text + 1, '`') != NULL) {
		buf_puts(b, "<code>");
		text = put_until(b, text + 1, special, '`');
		buf_puts(b, "</code>");
		text = put_until(b, text + 1, special, '`');
	}
	html_text(b, text);
}

/* The length of the first character in bytes if XML 1.0 does not allow it (Char, section 2.2); 0: allowed. */
static size_t
no_xml(const char *text)
{
	unsigned char c = (unsigned char)text[0];

	if (c < 0x20)
		return c != '\t' && c != '\n' && c != '\r';
	/* U+FFFE and U+FFFF */
	return strncmp(text, "\xef\xbf\xbe", 3) == 0 || strncmp(text, "\xef\xbf\xbf", 3) == 0 ? 3 : 0;
}

void
html_xml(struct buf *b, const char *text)
{
	if (text == NULL)
		return;
	for (size_t n; *text != '\0'; text += n) {
		n = no_xml(text);
		if (n > 0) {
			buf_puts(b, "\xef\xbf\xbd");
			continue;
		}
		n = 1;
		if (*text == ORDER_LEAD)
			n = put_lead(b, text, strnlen(text, 3));
		else if (strchr("&<>\"'", *text) != NULL)
			buf_puts(b, entity_of(*text));
		else
			buf_putc(b, *text);
	}
}

void
html_number(struct buf *b, int64_t number)
{
	buf_put_int(b, number);
}

void
html_count(struct buf *b, int64_t number)
{
	enum { GROUP = 3 };
	char text[24];
	size_t n = (size_t)snprintf(text, sizeof(text), "%" PRId64, number);

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % GROUP == 0 && text[i - 1] != '-')
			buf_puts(b, "\xc2\xa0"); /* U+00A0 */
		buf_putc(b, text[i]);
	}
}

void
html_size(struct buf *b, int64_t bytes)
{
	enum { KILO = 1000, MEGA = KILO * KILO, TENTH = 10 };

	if (bytes < KILO)
		buf_printf(b, "%" PRId64 "\xc2\xa0""B", bytes);
	else if (bytes < MEGA)
		buf_printf(b, "%" PRId64 ".%" PRId64 "\xc2\xa0kB", bytes / KILO, bytes % KILO * TENTH / KILO);
	else
		buf_printf(b, "%" PRId64 ".%" PRId64 "\xc2\xa0MB", bytes / MEGA, bytes % MEGA * TENTH / MEGA);
}

void
html_day(struct buf *b, int64_t seconds)
{
	enum { DAY = 10 };
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339((time_t)seconds, text);
	buf_puts(b, "<time datetime=\"");
	buf_puts(b, text);
	buf_puts(b, "\">");
	buf_put(b, text, DAY);
	buf_puts(b, "</time>");
}

void
html_time(struct buf *b, int64_t seconds)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339((time_t)seconds, text);
	buf_puts(b, text);
}

static void
put_encoded(struct buf *b, const char *text, const char *also)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~", c) != NULL || strchr(also, c) != NULL) {
			buf_putc(b, (char)c);
		} else {
			buf_putc(b, '%');
			buf_putc(b, digits[c >> 4]);
			buf_putc(b, digits[c & 15]);
		}
	}
}

void
html_part(struct buf *b, const char *text)
{
	put_encoded(b, text, "");
}

void
html_path(struct buf *b, const char *path)
{
	put_encoded(b, path, "/");
}

void
html_query(struct buf *b, const struct html_pair *pair)
{
	const char *before = "?";

	for (; pair->name != NULL; pair++) {
		if (pair->value == NULL || pair->value[0] == '\0')
			continue;
		buf_puts(b, before);
		html_part(b, pair->name);
		buf_putc(b, '=');
		html_part(b, pair->value);
		before = "&amp;";
	}
}

void
html_base(struct buf *b, const char *path)
{
	html_text(b, path);
}

void
html_asset(struct buf *b, const char *asset)
{
	html_text(b, asset);
}

void
html_link(struct buf *b, const char *url)
{
	if (url_is_web(slice_str(url)))
		html_text(b, url);
}

void
html_safe(struct buf *b, struct html_markup markup)
{
	buf_put_slice(b, markup.html);
}
