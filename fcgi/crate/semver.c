#include "crate/semver.h"

#include <inttypes.h>

#include "base/scan.h"
#include "base/utf8.h"

const char *const semver_number_names[3] = { "major number", "minor number", "patch number" };

bool
semver_take_number(struct slice *in, uint64_t *out)
{
	uint64_t value = 0;
	size_t n;

	for (n = 0; n < in->n && scan_is_digit(in->p[n]); n++) {
		uint64_t digit = (uint64_t)(in->p[n] - '0');

		if (n > 0 && value == 0) /* a leading zero */
			return false;
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	if (n == 0)
		return false;
	scan_skip(in, n);
	*out = value;
	return true;
}

const char *
semver_number_fault(struct slice in)
{
	if (in.n == 0)
		return "is missing";
	if (!scan_is_digit(in.p[0]))
		return "is not a number";
	if (in.p[0] == '0' && in.n > 1 && scan_is_digit(in.p[1]))
		return "has a leading zero";
	return "is larger than 18446744073709551615";
}

/* Identifiers joined by dots, none of them empty (SemVer 9 and 10). */
static bool
take_identifiers(struct slice *in, bool leading_zeros, struct slice *out)
{
	size_t start = 0, end;
	bool digits = true;

	for (end = 0;; end++) {
		char c = end < in->n ? in->p[end] : '\0';

		if (scan_is_alnum(c) || c == '-') {
			digits = digits && scan_is_digit(c);
			continue;
		}
		if (end == start)
			return false;
		if (!leading_zeros && digits && end - start > 1 && in->p[start] == '0')
			return false;
		if (c != '.')
			break;
		start = end + 1;
		digits = true;
	}
	*out = slice_of(in->p, end);
	scan_skip(in, end);
	return true;
}

bool
semver_take_pre(struct slice *in, struct slice *out)
{
	return take_identifiers(in, false, out);
}

bool
semver_take_build(struct slice *in, struct slice *out)
{
	return take_identifiers(in, true, out);
}

/* Why take_identifiers() has stopped: at a part that is no identifier, or at a number with a leading zero. */
static const char *
identifiers_fault(struct slice in)
{
	bool before = false;

	while (in.n > 0 && (scan_is_alnum(in.p[0]) || in.p[0] == '-' || (before && in.p[0] == '.'))) {
		before = in.p[0] != '.';
		scan_skip(&in, 1);
	}
	if (before)
		return "has a number with a leading zero";
	return in.n == 0 || in.p[0] == '.' || in.p[0] == '+'
	    ? "has an empty part"
	    : "has a part that does not begin with an ASCII letter, a digit or `-`";
}

const char *
semver_pre_fault(struct slice in)
{
	return in.n == 0 ? "is missing" : identifiers_fault(in);
}

const char *
semver_build_fault(struct slice in)
{
	return semver_pre_fault(in);
}

static int
refuse(struct slice text, const char *part, const char *fault, struct err *err)
{
	return err_set(err, 400, "\"%.*s\" is an invalid semver version: the %s %s", (int)text.n,
	    text.p, part, fault);
}

/* The version should have ended; names the character that comes instead. */
static int
refuse_rest(struct slice text, struct slice rest, struct err *err)
{
	uint32_t cp;
	size_t n = utf8_decode(rest.p, rest.n, &cp);

	return err_set(err, 400,
	    "\"%.*s\" is an invalid semver version: `%.*s` is not allowed after `%.*s`",
	    (int)text.n, text.p, n > 0 ? (int)n : 1, rest.p, (int)(rest.p - text.p), text.p);
}

int
semver_parse(struct slice text, struct semver *v, struct err *err)
{
	struct slice rest = text;
	uint64_t *const numbers[] = { &v->major, &v->minor, &v->patch };

	*v = (struct semver){ .pre = slice_str(""), .build = slice_str("") };
	if (text.n > SEMVER_MAX)
		return err_set(err, 400, "the version number is too long: it has %zu characters, and at most %d are "
		    "allowed", text.n, SEMVER_MAX);
	for (size_t i = 0; i < 3; i++) {
		if (i > 0 && rest.n > 0 && !scan_char(&rest, '.'))
			return refuse_rest(text, rest, err);
		if (!semver_take_number(&rest, numbers[i]))
			return refuse(text, semver_number_names[i], semver_number_fault(rest), err);
	}
	if (scan_char(&rest, '-') && !semver_take_pre(&rest, &v->pre))
		return refuse(text, "pre-release", semver_pre_fault(rest), err);
	if (scan_char(&rest, '+') && !semver_take_build(&rest, &v->build))
		return refuse(text, "build metadata", semver_build_fault(rest), err);
	return rest.n > 0 ? refuse_rest(text, rest, err) : 0;
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static bool
is_numeric(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!scan_is_digit(s.p[i]))
			return false;
	}
	return true;
}

/* SemVer 11.4: numbers by value and below words, words by their bytes. */
static int
compare_identifiers(struct slice a, struct slice b)
{
	bool a_numeric = is_numeric(a), b_numeric = is_numeric(b);
	int order;

	if (a_numeric != b_numeric)
		return a_numeric ? -1 : 1;
	/* numbers of any size: without leading zeros the longer one is the larger one */
	if (a_numeric && a.n != b.n)
		return compare_numbers(a.n, b.n);
	order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return order != 0 ? order : compare_numbers(a.n, b.n);
}

/* Takes the identifier up to the next dot. */
static struct slice
next_identifier(struct slice *in)
{
	const char *dot = memchr(in->p, '.', in->n);
	struct slice out = slice_of(in->p, dot != NULL ? (size_t)(dot - in->p) : in->n);

	scan_skip(in, dot != NULL ? out.n + 1 : out.n);
	return out;
}

static int
compare_pre(struct slice a, struct slice b)
{
	/* the release comes after its pre-releases */
	if (a.n == 0 || b.n == 0)
		return compare_numbers(a.n == 0, b.n == 0);
	while (a.n > 0 && b.n > 0) {
		int order = compare_identifiers(next_identifier(&a), next_identifier(&b));

		if (order != 0)
			return order;
	}
	return compare_numbers(a.n, b.n);
}

int
semver_compare(const struct semver *a, const struct semver *b)
{
	if (a->major != b->major)
		return compare_numbers(a->major, b->major);
	if (a->minor != b->minor)
		return compare_numbers(a->minor, b->minor);
	if (a->patch != b->patch)
		return compare_numbers(a->patch, b->patch);
	return compare_pre(a->pre, b->pre);
}

char *
semver_base(struct arena *a, const struct semver *v)
{
	return arena_printf(a, "%" PRIu64 ".%" PRIu64 ".%" PRIu64 "%s%.*s", v->major, v->minor,
	    v->patch, v->pre.n > 0 ? "-" : "", (int)v->pre.n, v->pre.p);
}
