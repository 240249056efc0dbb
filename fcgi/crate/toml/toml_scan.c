#include "crate/toml/toml_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/scan.h"
#include "base/utf8.h"

/* TOML 1.0 "Spec": UTF-8 throughout, and of the control characters only tab, LF and CR LF. */
static int
text_check(struct toml_reader *r, size_t n)
{
	const char *end = r->text + n;

	if (n >= 3 && memcmp(r->text, "\xef\xbb\xbf", 3) == 0)
		return toml_fail(r, r->text, "a byte order mark is not allowed");
	for (const char *p = r->text; p < end;) {
		uint32_t cp;
		size_t length = utf8_decode(p, (size_t)(end - p), &cp);

		if (length == 0)
			return toml_fail(r, p, "not valid UTF-8");
		if (cp == '\r' && p[1] != '\n')
			return toml_fail(r, p, "a carriage return without a newline");
		if ((cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r') || cp == 0x7f)
			return toml_fail(r, p, "control character U+%04X", (unsigned)cp);
		p += length;
	}
	return 0;
}

int
toml_reader_init(struct toml_reader *r, struct arena *arena, struct slice text, struct err *err)
{
	const char *copy = arena_slicedup(arena, text);

	*r = (struct toml_reader) {
		.arena = arena,
		.err = err,
		.text = copy,
		.p = copy,
		.known = copy,
		.line = 1,
		.column = 1,
	};
	return text_check(r, text.n);
}

void
toml_locate(struct toml_reader *r, const char *at, uint32_t *line, uint32_t *column)
{
	if (at < r->known) {
		r->known = r->text;
		r->line = r->column = 1;
	}
	for (; r->known < at; r->known++) {
		if (*r->known == '\n') {
			r->line++;
			r->column = 1;
		} else if (((unsigned char)*r->known & 0xc0) != 0x80) {
			r->column++; /* characters, not bytes */
		}
	}
	*line = r->line;
	*column = r->column;
}

int
toml_fail(struct toml_reader *r, const char *at, const char *fmt, ...)
{
	char reason[256];
	uint32_t line, column;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	toml_locate(r, at, &line, &column);
	return err_set(r->err, 400, "line %u, column %u: %s", line, column, reason);
}

void
toml_skip_blanks(struct toml_reader *r)
{
	while (*r->p == ' ' || *r->p == '\t')
		r->p++;
}

static void
skip_comment(struct toml_reader *r)
{
	if (*r->p != '#')
		return;
	while (*r->p != '\0' && *r->p != '\n')
		r->p++;
}

void
toml_skip_lines(struct toml_reader *r)
{
	for (;;) {
		toml_skip_blanks(r);
		skip_comment(r);
		if (*r->p != '\n' && *r->p != '\r')
			return;
		r->p++;
	}
}

int
toml_read_line_end(struct toml_reader *r)
{
	toml_skip_blanks(r);
	skip_comment(r);
	if (*r->p == '\r')
		r->p++;
	if (*r->p == '\0')
		return 0;
	if (*r->p != '\n')
		return toml_fail(r, r->p, "expected the end of the line");
	r->p++;
	return 0;
}

bool
toml_accept(struct toml_reader *r, char c)
{
	if (*r->p != c)
		return false;
	r->p++;
	return true;
}

/* \uXXXX or \UXXXXXXXX; *p is behind the letter. */
static int
unescape_unicode(struct toml_reader *r, const char **p, size_t digits, char **out)
{
	const char *at = *p - 2;
	uint32_t cp = 0;

	for (size_t i = 0; i < digits; i++, (*p)++) {
		static const char hex[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = **p != '\0' ? strchr(hex, **p) : NULL;

		if (digit == NULL)
			return toml_fail(r, at, "`\\%c` needs %zu hexadecimal digits", at[1],
			    digits);
		cp = cp << 4 | ((uint32_t)(digit - hex) & 0xf);
	}
	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return toml_fail(r, at, "the escape is not a Unicode scalar value");
	*out += utf8_encode(cp, *out);
	return 0;
}

/* One escape sequence; *p is at its backslash. */
static int
unescape(struct toml_reader *r, const char **p, char **out)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	const char *at = *p;
	const char *simple = at[1] != '\0' ? strchr(from, at[1]) : NULL;

	*p += 2;
	if (simple != NULL)
		*(*out)++ = to[simple - from];
	else if (at[1] == 'u' || at[1] == 'U')
		return unescape_unicode(r, p, at[1] == 'u' ? 4 : 8, out);
	else
		return toml_fail(r, at, "invalid escape in a string");
	return 0;
}

/* Where the text goes on after a backslash that ends its line; NULL where it does not end it. */
static const char *
line_continued(const char *p)
{
	p++;
	p += strspn(p, " \t");
	return *p == '\n' || *p == '\r' ? p + strspn(p, " \t\r\n") : NULL;
}

/* The value of what stands between the quotes.  It is never longer than its source. */
static int
string_value(struct toml_reader *r, struct slice source, bool escapes, bool multiline,
    struct slice *out)
{
	char *value = arena_alloc(r->arena, source.n + 1), *end = value;
	const char *stop = source.p + source.n;

	for (const char *p = source.p; p < stop;) {
		const char *next = NULL;

		if (*p == '\r') { /* of CR LF: newlines are LF in every value */
			p++;
		} else if (*p != '\\' || !escapes) {
			*end++ = *p++;
		} else if (multiline && (next = line_continued(p)) != NULL) {
			p = next;
		} else if (unescape(r, &p, &end) == -1) {
			return -1;
		}
	}
	*out = slice_of(value, (size_t)(end - value));
	return 0;
}

/* A string with one quote on each side, or, where multiline, with three. */
static int
read_quoted(struct toml_reader *r, bool multiline, struct slice *out)
{
	const char quote[] = { *r->p, *r->p, *r->p };
	const size_t nquote = multiline ? 3 : 1;
	const bool escapes = quote[0] == '"';
	const char *start = r->p + nquote, *p;

	if (multiline && *start == '\r')
		start++;
	if (multiline && *start == '\n')
		start++;
	for (p = start; strncmp(p, quote, nquote) != 0;) {
		if (*p == '\0' || (*p == '\n' && !multiline))
			return toml_fail(r, r->p, "the string does not end");
		p += escapes && p[0] == '\\' && p[1] != '\0' ? 2 : 1;
	}
	/* up to two quotes may stand directly before the closing three */
	for (int i = 0; multiline && i < 2 && p[3] == quote[0]; i++)
		p++;
	r->p = p + nquote;
	return string_value(r, slice_of(start, (size_t)(p - start)), escapes, multiline, out);
}

int
toml_read_string(struct toml_reader *r, struct slice *out)
{
	return read_quoted(r, r->p[1] == r->p[0] && r->p[2] == r->p[0], out);
}

int
toml_read_key(struct toml_reader *r, struct slice *out)
{
	const char *start = r->p;

	if (*start == '"' || *start == '\'')
		return read_quoted(r, false, out);
	while (scan_is_alnum(*r->p) || *r->p == '_' || *r->p == '-')
		r->p++;
	if (r->p == start)
		return toml_fail(r, start, "expected a key");
	*out = slice_of(start, (size_t)(r->p - start));
	return 0;
}
