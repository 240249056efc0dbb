#include "crate/toml/toml_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/excerpt.h"
#include "base/scan.h"

/* A number without its underscores, ready for strtoimax and strtod. */
struct number {
	struct slice in; /* what is left of the token */
	char *out;
	size_t n;
};

static int
digit_value(char c)
{
	if (scan_is_digit(c))
		return c - '0';
	if (scan_is_alpha(c))
		return (c | 0x20) - 'a' + 10;
	return 36;
}

/* Takes digit ("_"? digit)*; false where that is not what comes. */
static bool
take_digits(struct number *number, int base)
{
	bool after_digit = false;

	for (; number->in.n > 0; scan_skip(&number->in, 1)) {
		char c = number->in.p[0];

		if (digit_value(c) < base) {
			number->out[number->n++] = c;
			after_digit = true;
		} else if (c == '_' && after_digit) {
			after_digit = false;
		} else {
			break;
		}
	}
	return after_digit;
}

/* Takes one of the characters of `set`, if it comes next. */
static bool
take_one(struct number *number, const char *set)
{
	if (number->in.n == 0 || strchr(set, number->in.p[0]) == NULL)
		return false;
	number->out[number->n++] = number->in.p[0];
	scan_skip(&number->in, 1);
	return true;
}

/* 0x, 0o and 0b: no sign. */
static bool
parse_prefixed(struct number *number, int base, struct toml_value *v)
{
	uintmax_t value;

	scan_skip(&number->in, 2);
	if (!take_digits(number, base) || number->in.n > 0)
		return false;
	errno = 0;
	value = strtoumax(number->out, NULL, base);
	if (errno != 0 || value > INT64_MAX)
		return false;
	v->type = TOML_INTEGER;
	v->u.integer = (int64_t)value;
	return true;
}

/* The whole part has been taken; the process stays in the "C" locale, so strtod wants a point. */
static bool
parse_float(struct number *number, struct toml_value *v)
{
	if (take_one(number, ".") && !take_digits(number, 10))
		return false;
	if (take_one(number, "eE")) {
		take_one(number, "+-");
		if (!take_digits(number, 10))
			return false;
	}
	if (number->in.n > 0)
		return false;
	v->type = TOML_FLOAT;
	v->u.number = strtod(number->out, NULL);
	return isfinite(v->u.number);
}

static bool
parse_number(struct number *number, struct toml_value *v)
{
	static const struct {
		const char *prefix;
		int base;
	} forms[] = { { "0x", 16 }, { "0o", 8 }, { "0b", 2 } };
	size_t sign;

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (slice_has_prefix(number->in, forms[i].prefix))
			return parse_prefixed(number, forms[i].base, v);
	}
	sign = take_one(number, "+-") ? 1 : 0;
	if (slice_is(number->in, "inf") || slice_is(number->in, "nan")) {
		v->type = TOML_FLOAT;
		v->u.number = number->in.p[0] == 'n' ? (double)NAN : (double)INFINITY;
		if (number->n == 1 && number->out[0] == '-')
			v->u.number = -v->u.number;
		return true;
	}
	if (!take_digits(number, 10) || (number->out[sign] == '0' && number->n > sign + 1))
		return false;
	if (number->in.n > 0)
		return parse_float(number, v);
	errno = 0;
	v->type = TOML_INTEGER;
	v->u.integer = strtoimax(number->out, NULL, 10);
	return errno == 0;
}

/* Takes exactly `digits` digits with a value in the range. */
static bool
take_field(struct slice *in, size_t digits, int min, int max, int *out)
{
	*out = 0;
	if (in->n < digits)
		return false;
	for (size_t i = 0; i < digits; i++, scan_skip(in, 1)) {
		if (!scan_is_digit(in->p[0]))
			return false;
		*out = *out * 10 + (in->p[0] - '0');
	}
	return *out >= min && *out <= max;
}

static bool
take_date(struct slice *in)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day;
	bool leap;

	if (!take_field(in, 4, 0, 9999, &year) || !scan_char(in, '-') ||
	    !take_field(in, 2, 1, 12, &month) || !scan_char(in, '-') ||
	    !take_field(in, 2, 1, days[month - 1], &day))
		return false;
	leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return leap || month != 2 || day < 29;
}

static bool
take_time(struct slice *in)
{
	int hour, minute, second, digit;

	if (!take_field(in, 2, 0, 23, &hour) || !scan_char(in, ':') ||
	    !take_field(in, 2, 0, 59, &minute))
		return false;
	/* TOML 1.1: no seconds */
	if (!scan_char(in, ':'))
		return true;
	/* RFC 3339 5.7: the second 60 is a leap second */
	if (!take_field(in, 2, 0, 60, &second))
		return false;
	if (!scan_char(in, '.'))
		return true;
	if (!take_field(in, 1, 0, 9, &digit))
		return false;
	while (in->n > 0 && scan_is_digit(in->p[0]))
		scan_skip(in, 1);
	return true;
}

static bool
take_offset(struct slice *in)
{
	int hour, minute;

	if (scan_char(in, 'Z') || scan_char(in, 'z'))
		return true;
	return (scan_char(in, '+') || scan_char(in, '-')) && take_field(in, 2, 0, 23, &hour) &&
	    scan_char(in, ':') && take_field(in, 2, 0, 59, &minute);
}

/* Offset date-time, local date-time, local date, local time. */
static bool
datetime_valid(struct slice in)
{
	if (in.n > 2 && in.p[2] == ':')
		return take_time(&in) && in.n == 0;
	if (!take_date(&in))
		return false;
	if (in.n == 0)
		return true;
	if (!scan_char(&in, 'T') && !scan_char(&in, 't') && !scan_char(&in, ' '))
		return false;
	return take_time(&in) && (in.n == 0 || (take_offset(&in) && in.n == 0));
}

static bool
looks_like_datetime(struct slice token)
{
	size_t digits = 0;

	while (digits < token.n && scan_is_digit(token.p[digits]))
		digits++;
	return (digits == 2 && token.n > 2 && token.p[2] == ':') ||
	    (digits == 4 && token.n > 4 && token.p[4] == '-');
}

static void
skip_token(struct toml_reader *r)
{
	while (scan_is_alnum(*r->p) || (*r->p != '\0' && strchr("+-._:", *r->p) != NULL))
		r->p++;
}

int
toml_read_scalar(struct toml_reader *r, struct toml_value *v)
{
	const char *start = r->p;
	struct slice token;

	skip_token(r);
	token = slice_of(start, (size_t)(r->p - start));
	if (token.n == 0)
		return toml_fail(r, start, "expected a value");
	if (slice_is(token, "true") || slice_is(token, "false")) {
		v->type = TOML_BOOLEAN;
		v->u.boolean = token.p[0] == 't';
		return 0;
	}
	if (looks_like_datetime(token)) {
		/* a blank may stand in the place of the T */
		if (token.n == 10 && r->p[0] == ' ' && scan_is_digit(r->p[1])) {
			r->p++;
			skip_token(r);
			token.n = (size_t)(r->p - start);
		}
		v->type = TOML_DATETIME;
		v->u.string = token;
		if (!datetime_valid(token))
			return toml_fail(r, start, "`%.*s` is not a valid date or time",
			    excerpt(token), token.p);
		return 0;
	}
	if (!parse_number(&(struct number) { token, arena_alloc(r->arena, token.n + 1), 0 }, v))
		return toml_fail(r, start, "`%.*s` is not a valid value", excerpt(token), token.p);
	return 0;
}
