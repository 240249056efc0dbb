#include "api/web/html_read.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/scan.h"
#include "base/utf8.h"

#define BLANKS " \t\r\n\f"

static bool
is_blank(char c)
{
	return c != '\0' && strchr(BLANKS, c) != NULL;
}

bool
html_read_is(struct slice name, const char *element)
{
	return name.n == strlen(element) && strncasecmp(name.p, element, name.n) == 0;
}

/* The length of a name that begins with a letter; 0: it is none. */
static size_t
name_length(struct slice in)
{
	size_t n = 0;

	if (in.n == 0 || !scan_is_alpha(in.p[0]))
		return 0;
	while (n < in.n && !is_blank(in.p[n]) && in.p[n] != '/' && in.p[n] != '>')
		n++;
	return n;
}

/* The length of a tag, from its "<" to its ">", which may stand in quotes before; 0: it has no end. */
static size_t
tag_length(struct slice in)
{
	char quote = '\0', last = '\0';

	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];

		if (quote != '\0')
			quote = c == quote ? '\0' : quote;
		else if (c == '>')
			return i + 1;
		else if ((c == '"' || c == '\'') && last == '=')
			quote = c;
		last = is_blank(c) ? last : c;
	}
	return 0;
}

/* The length of a comment or a declaration; 0: it has no end. */
static size_t
hidden_length(struct slice in)
{
	bool is_comment = slice_has_prefix(in, "<!--");
	const char *end = is_comment ? memmem(in.p, in.n, "-->", 3) : memchr(in.p, '>', in.n);

	return end == NULL ? 0 : (size_t)(end - in.p) + (is_comment ? 3 : 1);
}

/* Up to the next character that may begin a tag. */
static struct slice
take_text(struct slice *html)
{
	struct slice text = *html;
	size_t n = 1;

	while (n < text.n && text.p[n] != '<')
		n++;
	scan_skip(html, n);
	return slice_of(text.p, n);
}

static bool
begins_hidden(struct slice in)
{
	return slice_has_prefix(in, "<!") || slice_has_prefix(in, "<?");
}

bool
html_read(struct slice *html, struct html_token *token)
{
	bool is_end;
	size_t before, name, n;

	while (begins_hidden(*html) && (n = hidden_length(*html)) > 0)
		scan_skip(html, n);
	if (html->n == 0)
		return false;
	is_end = slice_has_prefix(*html, "</");
	before = is_end ? 2 : 1;
	name = html->p[0] == '<' ? name_length(slice_of(html->p + before, html->n - before)) : 0;
	n = name > 0 ? tag_length(*html) : 0;
	if (n > 0) {
		*token = (struct html_token) { is_end ? HTML_END_TAG : HTML_TAG, slice_of(html->p + before, name),
			slice_of(html->p + before + name, n - before - name - 1) };
		scan_skip(html, n);
		return true;
	}
	*token = (struct html_token) { .kind = HTML_TEXT };
	/* a tag without an end makes all that follows a text: nothing looks for its end again */
	if (name > 0 || begins_hidden(*html)) {
		token->rest = *html;
		scan_skip(html, html->n);
	} else {
		token->rest = take_text(html);
	}
	return true;
}

void
html_read_past(struct slice *html, struct slice name)
{
	while (html->n > 0) {
		const char *less = memchr(html->p, '<', html->n);

		scan_skip(html, less == NULL ? html->n : (size_t)(less - html->p));
		if (slice_has_prefix(*html, "</") && html->n >= 2 + name.n &&
		    strncasecmp(html->p + 2, name.p, name.n) == 0) {
			const char *end = memchr(html->p, '>', html->n);

			scan_skip(html, end == NULL ? html->n : (size_t)(end - html->p) + 1);
			return;
		}
		scan_skip(html, html->n > 0);
	}
}

static void
skip_blanks(struct slice *in)
{
	while (in->n > 0 && (is_blank(in->p[0]) || in->p[0] == '/'))
		scan_skip(in, 1);
}

/* Takes bytes up to the first that is one of the ends. */
static struct slice
take_until(struct slice *in, const char *ends)
{
	struct slice taken = slice_of(in->p, 0);

	while (taken.n < in->n && (in->p[taken.n] == '\0' || strchr(ends, in->p[taken.n]) == NULL))
		taken.n++;
	scan_skip(in, taken.n);
	return taken;
}

static struct slice
take_value(struct slice *in)
{
	char quote[2] = { in->n > 0 ? in->p[0] : '\0', '\0' };
	struct slice value;

	if (quote[0] != '"' && quote[0] != '\'')
		return take_until(in, BLANKS);
	scan_skip(in, 1);
	value = take_until(in, quote);
	scan_char(in, quote[0]);
	return value;
}

const char *
html_read_attribute(struct arena *a, const struct html_token *tag, const char *name)
{
	struct slice in = tag->rest;

	for (skip_blanks(&in); in.n > 0; skip_blanks(&in)) {
		struct slice found = take_until(&in, BLANKS "/="), value = { "", 0 };
		struct buf b;

		while (in.n > 0 && is_blank(in.p[0]))
			scan_skip(&in, 1);
		if (scan_char(&in, '=')) {
			while (in.n > 0 && is_blank(in.p[0]))
				scan_skip(&in, 1);
			value = take_value(&in);
		}
		if (!html_read_is(found, name))
			continue;
		buf_init(&b, a, value.n);
		html_read_text(&b, value);
		return buf_str(&b);
	}
	return NULL;
}

/* None is longer as UTF-8 than as a reference. */
static const struct {
	const char *name, *text;
} references[] = {
	{ "amp;", "&" }, { "lt;", "<" }, { "gt;", ">" }, { "quot;", "\"" }, { "apos;", "'" },
	{ "nbsp;", "\xc2\xa0" }, { "ensp;", " " }, { "emsp;", " " }, { "thinsp;", " " },
	{ "copy;", "\xc2\xa9" }, { "reg;", "\xc2\xae" }, { "trade;", "\xe2\x84\xa2" },
	{ "ndash;", "\xe2\x80\x93" }, { "mdash;", "\xe2\x80\x94" }, { "hellip;", "\xe2\x80\xa6" },
	{ "middot;", "\xc2\xb7" }, { "bull;", "\xe2\x80\xa2" }, { "times;", "\xc3\x97" },
	{ "larr;", "\xe2\x86\x90" }, { "rarr;", "\xe2\x86\x92" }, { "harr;", "\xe2\x86\x94" },
	{ "check;", "\xe2\x9c\x93" },
};

/* Takes "#8212;" or "#x2014;".  False: it is no number. */
static bool
take_number(struct buf *b, struct slice *in)
{
	enum { DIGITS_MAX = 7 };
	bool is_hex = in->n > 1 && (in->p[1] == 'x' || in->p[1] == 'X');
	const char *set = is_hex ? "0123456789abcdefABCDEF" : "0123456789";
	size_t first = 1 + (size_t)is_hex, n = first;
	char digits[DIGITS_MAX + 1] = "", character[4];
	uint32_t cp;

	while (n < in->n && in->p[n] != '\0' && strchr(set, in->p[n]) != NULL)
		n++;
	if (n == first || n - first > DIGITS_MAX || n == in->n || in->p[n] != ';')
		return false;
	memcpy(digits, in->p + first, n - first);
	cp = (uint32_t)strtoul(digits, NULL, is_hex ? 16 : 10);
	if (cp == 0 || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		cp = 0xfffd;
	buf_put(b, character, utf8_encode(cp, character));
	scan_skip(in, n + 1);
	return true;
}

/* Takes what stands behind a "&".  False: it is no reference. */
static bool
take_reference(struct buf *b, struct slice *in)
{
	if (in->n > 0 && in->p[0] == '#')
		return take_number(b, in);
	for (size_t i = 0; i < sizeof(references) / sizeof(*references); i++) {
		if (slice_has_prefix(*in, references[i].name)) {
			buf_puts(b, references[i].text);
			scan_skip(in, strlen(references[i].name));
			return true;
		}
	}
	return false;
}

void
html_read_text(struct buf *b, struct slice text)
{
	while (text.n > 0) {
		buf_put_slice(b, take_until(&text, "&"));
		if (scan_char(&text, '&') && !take_reference(b, &text))
			buf_putc(b, '&');
	}
}
