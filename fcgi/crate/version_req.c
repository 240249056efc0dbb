#include "crate/version_req.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/excerpt.h"
#include "base/scan.h"
#include "base/utf8.h"

enum {
	COMPARATORS_MAX = 32, /* as cargo counts */
	COMPARATOR_GROWTH = 2 /* what printing adds to one at most: '^', and ' ' after the comma */
};

/* The operator, or NULL where none is written. */
static const char *
take_operator(struct slice *in)
{
	/* of two that begin alike the longer one comes first */
	static const char *const operators[] = { ">=", ">", "<=", "<", "=", "~", "^" };

	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		if (slice_has_prefix(*in, operators[i])) {
			scan_skip(in, strlen(operators[i]));
			return operators[i];
		}
	}
	return NULL;
}

static bool
take_wildcard(struct slice *in)
{
	return scan_char(in, '*') || scan_char(in, 'x') || scan_char(in, 'X');
}

struct comparator {
	const char *op; /* NULL: none was written */
	uint64_t number[3];
	size_t numbers, wildcards;
	struct slice pre;
};

/* A part of a version that is not taken, with the reason. */
static const char *
part_fault(struct arena *a, const char *part, const char *fault)
{
	return arena_printf(a, "the %s %s", part, fault);
}

/* Takes the numbers and wildcards.  NULL, or what is wrong. */
static const char *
take_numbers(struct arena *a, struct slice *in, struct comparator *c)
{
	size_t i = 0;

	do {
		if (i > 0 && take_wildcard(in)) {
			c->wildcards++;
			continue;
		}
		if (i == 0 && in->n > 0 && strchr("*xX", in->p[0]) != NULL)
			return "a `*` alone cannot be one part of several";
		if (c->wildcards > 0)
			return "a number follows a wildcard";
		if (!semver_take_number(in, &c->number[c->numbers]))
			return part_fault(a, semver_number_names[i], semver_number_fault(*in));
		c->numbers++;
	} while (++i < 3 && scan_char(in, '.'));
	return NULL;
}

/* Takes one comparator and the blanks after it.  NULL, or what is wrong. */
static const char *
take_comparator(struct arena *a, struct slice *in, struct comparator *c)
{
	struct slice build; /* counts for nothing, but must be well-formed */
	const char *fault;

	*c = (struct comparator){ .op = take_operator(in), .pre = slice_str("") };
	scan_blanks(in);
	fault = take_numbers(a, in, c);
	if (fault != NULL)
		return fault;
	if (c->numbers < 3 && in->n > 0 && (in->p[0] == '-' || in->p[0] == '+'))
		return "a pre-release or build metadata can only follow three numbers";
	if (scan_char(in, '-') && !semver_take_pre(in, &c->pre))
		return part_fault(a, "pre-release", semver_pre_fault(*in));
	if (scan_char(in, '+') && !semver_take_build(in, &build))
		return part_fault(a, "build metadata", semver_build_fault(*in));
	scan_blanks(in);
	return NULL;
}

static void
put_comparator(struct buf *b, const struct comparator *c)
{
	/* beside an operator a wildcard says no more than a part that is left out */
	bool wildcard = c->op == NULL && c->wildcards > 0;

	if (!wildcard)
		buf_puts(b, c->op != NULL ? c->op : "^");
	for (size_t i = 0; i < c->numbers; i++)
		buf_printf(b, "%s%" PRIu64, i > 0 ? "." : "", c->number[i]);
	if (wildcard)
		buf_puts(b, ".*");
	if (c->pre.n > 0)
		buf_putc(b, '-');
	buf_put_slice(b, c->pre);
}

/* Neither the end nor a comma comes. */
static const char *
separator_fault(struct arena *a, struct slice in)
{
	uint32_t cp;
	size_t n = utf8_decode(in.p, in.n, &cp);

	return arena_printf(a, "expected a comma or the end instead of `%.*s`",
	    n > 0 ? (int)n : 1, in.p);
}

/* NULL, or what is wrong. */
static const char *
take_requirement(struct arena *a, struct slice *in, struct buf *out)
{
	const char *fault;

	scan_blanks(in);
	if (take_wildcard(in)) {
		buf_putc(out, '*');
		scan_blanks(in);
		return in->n == 0 ? NULL : "a `*` alone cannot be one part of several";
	}
	for (int i = 0; i < COMPARATORS_MAX; i++) {
		struct comparator c;

		fault = take_comparator(a, in, &c);
		if (fault != NULL)
			return fault;
		put_comparator(out, &c);
		if (in->n == 0)
			return NULL;
		if (!scan_char(in, ','))
			return separator_fault(a, *in);
		buf_puts(out, ", ");
		scan_blanks(in);
	}
	return "it has more than 32 parts";
}

int
version_req_canonical(struct arena *a, struct slice text, const char **out, struct err *err)
{
	struct slice rest = text;
	const char *fault;
	struct buf b;

	buf_init(&b, a, text.n + (size_t)COMPARATORS_MAX * COMPARATOR_GROWTH);
	fault = take_requirement(a, &rest, &b);
	if (fault != NULL)
		return err_set(err, 400, "\"%.*s\" is an invalid version requirement: %s", excerpt(text),
		    text.p, fault);
	assert(!buf_full(&b));
	*out = buf_str(&b);
	return 0;
}

/*
 * One spelling of all comparators that let the same versions pass: parts that are left out, wildcards,
 * and a caret before zeros say what another operator says as well.
 */
static const char *
comparator_meaning(struct arena *a, struct comparator *c)
{
	char op = c->op != NULL ? c->op[0] : '^';
	bool bound = op == '<' || op == '>';
	struct buf b;

	if (c->op == NULL && c->wildcards > 0)
		op = c->numbers == 1 ? '^' : '~';
	if (!bound && c->numbers == 1)
		op = '^';
	else if (((op == '=' || (op == '^' && c->number[0] == 0)) && c->numbers == 2) ||
	    (op == '^' && c->numbers == 3 && c->number[0] == 0 && c->number[1] > 0))
		op = '~';
	else if (op == '^' && c->numbers == 3 && c->number[0] == 0 && c->pre.n == 0)
		op = '=';
	/* `>=1` is `>=1.0.0`, and `<1` is `<1.0.0`; not so `>1` and `<=1` */
	if (bound && (c->op[1] == '=') == (op == '>'))
		c->numbers = 3;
	buf_init(&b, a, 4 * sizeof("18446744073709551615") + c->pre.n);
	buf_printf(&b, "%c%s", op, bound && c->op[1] == '=' ? "=" : "");
	for (size_t i = 0; i < c->numbers; i++)
		buf_printf(&b, "%s%" PRIu64, i > 0 ? "." : "", c->number[i]);
	buf_printf(&b, "%s%.*s", c->pre.n > 0 ? "-" : "", (int)c->pre.n, c->pre.p);
	return buf_str(&b);
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *
version_req_meaning(struct arena *a, const char *canonical)
{
	const char *parts[COMPARATORS_MAX], *all = "";
	struct slice in = slice_str(canonical);
	size_t n = 0;

	do {
		struct comparator c;

		if (n == COMPARATORS_MAX || take_comparator(a, &in, &c) != NULL)
			return canonical;
		parts[n++] = comparator_meaning(a, &c);
		if (in.n > 0 && !scan_char(&in, ','))
			return canonical;
		scan_blanks(&in);
	} while (in.n > 0);
	qsort(parts, n, sizeof(*parts), compare_texts);
	for (size_t i = 0; i < n; i++)
		all = arena_printf(a, "%s%s%s", all, i > 0 ? ", " : "", parts[i]);
	return all;
}

/* Of the first n numbers: <0, 0, >0. */
static int
compare_numbers(const struct semver *v, const struct comparator *c, size_t n)
{
	const uint64_t numbers[] = { v->major, v->minor, v->patch };

	assert(n <= sizeof(numbers) / sizeof(*numbers));
	for (size_t i = 0; i < n; i++) {
		if (numbers[i] != c->number[i])
			return numbers[i] < c->number[i] ? -1 : 1;
	}
	return 0;
}

/* With all three numbers the pre-release counts as well. */
static int
compare_version(const struct semver *v, const struct comparator *c)
{
	const struct semver whole = { c->number[0], c->number[1], c->number[2], c->pre, slice_str("") };

	return c->numbers == 3 ? semver_compare(v, &whole) : compare_numbers(v, c, c->numbers);
}

static bool
is_exact(const struct semver *v, const struct comparator *c)
{
	return compare_version(v, c) == 0 && (c->numbers == 3 || v->pre.n == 0);
}

/* From the comparator on, up to where a number changes that counts: the first that is not 0. */
static bool
is_compatible(const struct semver *v, const struct comparator *c)
{
	size_t same = 1;

	while (same < c->numbers && c->number[same - 1] == 0)
		same++;
	return compare_numbers(v, c, same) == 0 && compare_version(v, c) >= 0;
}

static bool
comparator_matches(const struct semver *v, const struct comparator *c)
{
	char op = c->op != NULL ? c->op[0] : c->wildcards > 0 ? '=' : '^';
	bool or_equal = c->op != NULL && c->op[0] != '=' && c->op[1] == '=';

	if (op == '^')
		return is_compatible(v, c);
	if (op == '~' && c->numbers == 3)
		return compare_numbers(v, c, 2) == 0 && compare_version(v, c) >= 0;
	if (op == '=' || op == '~' || (or_equal && is_exact(v, c)))
		return is_exact(v, c);
	return op == '<' ? compare_version(v, c) < 0 : compare_version(v, c) > 0;
}

bool
version_req_matches(struct arena *a, const char *canonical, const struct semver *v)
{
	struct slice in = slice_str(canonical);
	bool pre = v->pre.n == 0;

	if (slice_is(in, "*"))
		return pre;
	for (;;) {
		struct comparator c;

		if (take_comparator(a, &in, &c) != NULL || !comparator_matches(v, &c))
			return false;
		pre |= c.pre.n > 0 && compare_numbers(v, &c, 3) == 0;
		if (in.n == 0)
			return pre;
		if (!scan_char(&in, ','))
			return false;
		scan_blanks(&in);
	}
}
