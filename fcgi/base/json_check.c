/*
 * The strict walk of json_parse(): RFC 8259 and nothing else.  Keys of each
 * object are kept in one sorted-on-demand list, so that a hostile object costs
 * n log n and not n squared.
 */

#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/excerpt.h"
#include "base/hex.h"
#include "base/utf8.h"

struct key {
	struct key *next;
	const char *p; /* decoded */
	size_t n;
};

struct walk {
	struct arena *arena;
	const char *start, *p, *end;
	const char *what;
	int depth;
	struct slice field; /* the member of the outermost object whose value this is; empty: none */
	struct err *err;
};

static int walk_value(struct walk *);

static int
fail(struct walk *w, const char *reason)
{
	size_t line = 1, column = 1;

	for (const char *p = w->start; p < w->p; p++) {
		column++;
		if (*p == '\n') {
			line++;
			column = 1;
		}
	}
	return err_set(w->err, 400, "%s: %s at line %zu column %zu", w->what, reason, line, column);
}

/* Only a long text, such as a README, has a NUL: the field's name helps more than the place in the JSON. */
static int
fail_nul(struct walk *w)
{
	if (w->field.n == 0)
		return fail(w, "a string must not hold NUL");
	return err_set(w->err, 400, "%s: field `%.*s` must not hold a NUL character (U+0000)", w->what,
	    excerpt(w->field), w->field.p);
}

static void
skip_space(struct walk *w)
{
	while (w->p < w->end && (*w->p == ' ' || *w->p == '\t' || *w->p == '\n' || *w->p == '\r'))
		w->p++;
}

static bool
take(struct walk *w, char c)
{
	if (w->p == w->end || *w->p != c)
		return false;
	w->p++;
	return true;
}

/* The four digits after \u. */
static int
walk_hex(struct walk *w, uint32_t *out)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++, w->p++) {
		int digit;

		if (w->p == w->end)
			return fail(w, "unexpected end of text");
		digit = hex_digit(*w->p);
		if (digit == -1)
			return fail(w, "invalid escape");
		v = v << 4 | (uint32_t)digit;
	}
	*out = v;
	return 0;
}

/* After "\u"; a high surrogate must be followed by an escaped low one. */
static int
walk_unicode_escape(struct walk *w, struct buf *out)
{
	uint32_t cp = 0, low = 0;
	char utf8[4];

	if (walk_hex(w, &cp) == -1)
		return -1;
	if (cp == 0)
		return fail_nul(w);
	if (cp >= 0xd800 && cp <= 0xdfff) {
		if (cp >= 0xdc00 || !take(w, '\\') || !take(w, 'u'))
			return fail(w, "lone surrogate");
		if (walk_hex(w, &low) == -1)
			return -1;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(w, "lone surrogate");
		cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
	}
	if (out != NULL)
		buf_put(out, utf8, utf8_encode(cp, utf8));
	return 0;
}

static int
walk_escape(struct walk *w, struct buf *out)
{
	static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

	if (w->p == w->end)
		return fail(w, "unexpected end of text");
	if (take(w, 'u'))
		return walk_unicode_escape(w, out);
	for (size_t i = 0; escapes[i] != '\0'; i += 2) {
		if (take(w, escapes[i])) {
			if (out != NULL)
				buf_putc(out, escapes[i + 1]);
			return 0;
		}
	}
	return fail(w, "invalid escape");
}

/* A string; its decoded content goes to `out` where the caller wants it. */
static int
walk_string(struct walk *w, struct buf *out)
{
	if (!take(w, '"'))
		return fail(w, "expected a string");
	for (;;) {
		uint32_t cp;
		size_t n;

		if (w->p == w->end)
			return fail(w, "unexpected end of text");
		if (take(w, '"'))
			return 0;
		if (take(w, '\\')) {
			if (walk_escape(w, out) == -1)
				return -1;
			continue;
		}
		if ((unsigned char)*w->p < 0x20)
			return fail(w, "control character in a string");
		n = utf8_decode(w->p, (size_t)(w->end - w->p), &cp);
		if (n == 0)
			return fail(w, "invalid UTF-8");
		if (out != NULL)
			buf_put(out, w->p, n);
		w->p += n;
	}
}

/*
 * A key, put before the others of its object.  One without escapes borrows
 * from the text: a body full of keys must not cost many times its size.
 */
static int
walk_key(struct walk *w, struct key **keys)
{
	const char *start = w->p + 1;
	struct key *k = arena_alloc(w->arena, sizeof(*k));
	struct buf decoded;
	size_t n;

	if (walk_string(w, NULL) == -1)
		return -1;
	n = (size_t)(w->p - 1 - start);
	*k = (struct key) { *keys, start, n };
	if (n > 0 && memchr(start, '\\', n) != NULL) {
		buf_init(&decoded, w->arena, n);
		w->p = start - 1;
		if (walk_string(w, &decoded) == -1)
			return -1;
		k->p = decoded.p;
		k->n = decoded.n;
	}
	*keys = k;
	return 0;
}

static bool
take_digits(struct walk *w)
{
	const char *start = w->p;

	while (w->p < w->end && *w->p >= '0' && *w->p <= '9')
		w->p++;
	return w->p > start;
}

static int
walk_number(struct walk *w)
{
	const char *start = w->p;

	take(w, '-');
	if (!take(w, '0') && !take_digits(w))
		return fail(w, "expected a value");
	if (w->p < w->end && *w->p >= '0' && *w->p <= '9')
		return fail(w, "number with a leading zero");
	if (take(w, '.') && !take_digits(w))
		return fail(w, "invalid number");
	if (take(w, 'e') || take(w, 'E')) {
		if (!take(w, '+'))
			take(w, '-');
		if (!take_digits(w))
			return fail(w, "invalid number");
	}
	if (!isfinite(strtod(arena_strndup(w->arena, start, (size_t)(w->p - start)), NULL)))
		return fail(w, "number out of range");
	return 0;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct key *x = *(const struct key *const *)a, *y = *(const struct key *const *)b;
	int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

static int
check_keys_unique(struct walk *w, struct key *keys, size_t n)
{
	struct key **sorted = arena_calloc(w->arena, n, sizeof(struct key *));
	size_t i = 0;

	for (struct key *k = keys; k != NULL; k = k->next)
		sorted[i++] = k;
	qsort(sorted, n, sizeof(struct key *), compare_keys);
	for (i = 1; i < n; i++) {
		if (compare_keys(&sorted[i - 1], &sorted[i]) == 0)
			return err_set(w->err, 400, "%s: duplicate field `%.*s`", w->what,
			    (int)(sorted[i]->n < 64 ? sorted[i]->n : 64), sorted[i]->p);
	}
	return 0;
}

static int
walk_object(struct walk *w)
{
	struct key *keys = NULL;
	size_t n = 0;

	skip_space(w);
	if (take(w, '}'))
		return 0;
	for (;;) {
		skip_space(w);
		if (w->depth == 1)
			w->field = slice_str("");
		if (walk_key(w, &keys) == -1)
			return -1;
		if (w->depth == 1)
			w->field = slice_of(keys->p, keys->n);
		n++;
		skip_space(w);
		if (!take(w, ':'))
			return fail(w, "expected `:`");
		if (walk_value(w) == -1)
			return -1;
		skip_space(w);
		if (take(w, '}'))
			return n > 1 ? check_keys_unique(w, keys, n) : 0;
		if (!take(w, ','))
			return fail(w, w->p == w->end ? "unexpected end of text" : "expected `,` or `}`");
	}
}

static int
walk_array(struct walk *w)
{
	skip_space(w);
	if (take(w, ']'))
		return 0;
	for (;;) {
		if (walk_value(w) == -1)
			return -1;
		skip_space(w);
		if (take(w, ']'))
			return 0;
		if (!take(w, ','))
			return fail(w, w->p == w->end ? "unexpected end of text" : "expected `,` or `]`");
	}
}

static int
walk_nested(struct walk *w, int (*walk)(struct walk *))
{
	int rc;

	w->p++;
	if (++w->depth > JSON_DEPTH_MAX)
		return fail(w, "nested too deeply");
	rc = walk(w);
	w->depth--;
	return rc;
}

static int
walk_value(struct walk *w)
{
	static const char *const words[] = { "true", "false", "null" };

	skip_space(w);
	if (w->p == w->end)
		return fail(w, "unexpected end of text");
	if (*w->p == '{')
		return walk_nested(w, walk_object);
	if (*w->p == '[')
		return walk_nested(w, walk_array);
	if (*w->p == '"')
		return walk_string(w, NULL);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (slice_has_prefix(slice_of(w->p, (size_t)(w->end - w->p)), words[i])) {
			w->p += strlen(words[i]);
			return 0;
		}
	}
	return walk_number(w);
}

int
json_check(struct arena *a, struct slice text, const char *what, struct err *err)
{
	struct walk w = { .arena = a, .start = text.p, .p = text.p, .end = text.p + text.n, .what = what,
		.field = slice_str(""), .err = err };

	if (walk_value(&w) == -1)
		return -1;
	skip_space(&w);
	if (w.p != w.end)
		return fail(&w, "trailing characters");
	return 0;
}
