#include "crate/semver.h"

#include "tap.h"

#define NO_PART "has a part that does not begin with an ASCII letter, a digit or `-`"

static void
test_parts(struct arena *a)
{
	struct slice text = slice_str("1.22.333-alpha.1-x+b.02");
	struct err err = { 0 };
	struct semver v;

	is_int(semver_parse(text, &v, &err), 0, "1.22.333-alpha.1-x+b.02");
	ok(v.major == 1 && v.minor == 22 && v.patch == 333, "numbers");
	ok(slice_is(v.pre, "alpha.1-x"), "pre-release");
	ok(slice_is(v.build, "b.02"), "build metadata");
	is_str(semver_base(a, &v), "1.22.333-alpha.1-x", "without build metadata");
	is_int(semver_parse(slice_str("1.0.0+-"), &v, &err), 0, "1.0.0+-");
	ok(v.pre.n == 0 && slice_is(v.build, "-"), "no pre-release");
	is_str(semver_base(a, &v), "1.0.0", "without build metadata");
	is_int(semver_parse(slice_of("1.2.34", 5), &v, &err), 0, "a slice ends before its text");
	ok(v.patch == 3, "so does the number");
	ok(err.status == 0, "no error was set");
}

static void
test_valid(void)
{
	static const char *const versions[] = { "0.0.0", "0.0.0-pre", "1.0.0-alpha.1+b.2",
		"18446744073709551615.18446744073709551615.18446744073709551615", "1.0.0-0",
		"1.0.0-0a", "1.0.0-00a", "1.0.0--", "1.0.0-a-b.-1", "1.0.0+001", "1.0.0-0.0.0",
		"1.0.0-18446744073709551616" };

	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		struct err err = { 0 };
		struct semver v;

		ok(semver_parse(slice_str(versions[i]), &v, &err) == 0, "%s", versions[i]);
	}
}

static void
test_refused(void)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "the major number is missing" },
		{ "broken", "the major number is not a number" },
		{ "1", "the minor number is missing" },
		{ "1.0", "the patch number is missing" },
		{ "1.0.", "the patch number is missing" },
		{ "1.0.0.", "`.` is not allowed after `1.0.0`" },
		{ "1.0.0.0", "`.` is not allowed after `1.0.0`" },
		{ "v1.0.0", "the major number is not a number" },
		{ "01.0.0", "the major number has a leading zero" },
		{ "1.00.0", "the minor number has a leading zero" },
		{ "1.0.00", "the patch number has a leading zero" },
		{ "1.0.0-", "the pre-release is missing" },
		{ "1.0.0-01", "the pre-release has a number with a leading zero" },
		{ "1.0.0-a.01.b", "the pre-release has a number with a leading zero" },
		{ "1.0.0-a..b", "the pre-release has an empty part" },
		{ "1.0.0-.a", "the pre-release has an empty part" },
		{ "1.0.0-a.", "the pre-release has an empty part" },
		{ "1.0.0+", "the build metadata is missing" },
		{ "1.0.0-+b", "the pre-release has an empty part" },
		{ "1.0.0+b+c", "`+` is not allowed after `1.0.0+b`" },
		{ "1.0.0+a..b", "the build metadata has an empty part" },
		{ "1.0.0-a_b", "`_` is not allowed after `1.0.0-a`" },
		{ " 1.0.0", "the major number is not a number" },
		{ "1.0.0 ", "` ` is not allowed after `1.0.0`" },
		{ "1. 0.0", "the minor number is not a number" },
		{ "-1.0.0", "the major number is not a number" },
		{ "+1.0.0", "the major number is not a number" },
		{ "1.0.0-\u00e9", "the pre-release " NO_PART },
		{ "1.0.0-a._", "the pre-release " NO_PART },
		{ "1.0.0+a. b", "the build metadata " NO_PART },
		{ "1.0.0\u00e9", "`\u00e9` is not allowed after `1.0.0`" },
		{ "1.*.0", "the minor number is not a number" },
		{ "1.0.x", "the patch number is not a number" },
		{ "1-2", "`-` is not allowed after `1`" },
		{ "18446744073709551616.0.0", "the major number is larger than 18446744073709551615" },
		{ "0.18446744073709551616.0", "the minor number is larger than 18446744073709551615" },
		{ "0.0.99999999999999999999999", "the patch number is larger than 18446744073709551615" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = { 0 };
		struct semver v;
		char want[256];

		snprintf(want, sizeof(want), "\"%s\" is an invalid semver version: %s", cases[i].text,
		    cases[i].why);
		ok(semver_parse(slice_str(cases[i].text), &v, &err) == -1 && err.status == 400,
		    "\"%s\" is refused", cases[i].text);
		is_str(err.pub, want, "its sentence");
	}
}

static void
test_length(void)
{
	struct err err = { 0 };
	struct semver v;
	char text[SEMVER_MAX + 1];

	memset(text, 'a', sizeof(text));
	memcpy(text, "1.0.0-", 6);
	is_int(semver_parse(slice_of(text, SEMVER_MAX), &v, &err), 0, "as long as may be");
	is_int((long long)v.pre.n, SEMVER_MAX - 6, "its pre-release");
	is_int(semver_parse(slice_of(text, SEMVER_MAX + 1), &v, &err), -1, "one more byte");
	is_int(err.status, 400, "400");
	is_str(err.pub,
	    "the version number is too long: it has 151 characters, and at most 150 are allowed", "its sentence");
	is_int(semver_parse(slice_of("1.0.0\0", 6), &v, &err), -1, "NUL at the end");
}

static struct semver
parse(const char *text)
{
	struct err err = { 0 };
	struct semver v;

	ok(semver_parse(slice_str(text), &v, &err) == 0, "%s", text);
	return v;
}

static void
test_precedence(void)
{
	/* SemVer 11, and what follows from it; each is below all after it */
	static const char *const sorted[] = { "0.0.0-0", "0.0.0", "0.0.1", "0.9.9", "1.0.0-0",
		"1.0.0-1", "1.0.0-9", "1.0.0-10", "1.0.0-10.a", "1.0.0-99999999999999999998",
		"1.0.0-99999999999999999999", "1.0.0-100000000000000000000", "1.0.0--", "1.0.0-0a",
		"1.0.0-A", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.1.0", "1.0.0-alpha.beta",
		"1.0.0-alphabet", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
		"1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0", "10.0.0",
		"18446744073709551615.0.0" };
	enum { N = sizeof(sorted) / sizeof(*sorted) };
	struct semver v[N];
	int wrong = 0;

	for (size_t i = 0; i < N; i++)
		v[i] = parse(sorted[i]);
	for (size_t i = 0; i < N; i++) {
		for (size_t k = 0; k < N; k++) {
			int got = semver_compare(&v[i], &v[k]);

			if ((got > 0) - (got < 0) != (i > k) - (i < k)) {
				printf("# %s and %s: %d\n", sorted[i], sorted[k], got);
				wrong++;
			}
		}
	}
	is_int(wrong, 0, "each pair is in order");
}

static void
test_build_does_not_count(void)
{
	struct semver a = parse("1.0.0-rc.1+a"), b = parse("1.0.0-rc.1+b.2"),
		      c = parse("1.0.0-rc.1");

	is_int(semver_compare(&a, &b), 0, "+a and +b.2");
	is_int(semver_compare(&a, &c), 0, "+a and none");
}

static void
test_take(void)
{
	struct slice in = slice_str("12.07-rc.1+b"), part = slice_str("");
	uint64_t n = 0;

	ok(semver_take_number(&in, &n) && n == 12 && slice_is(in, ".07-rc.1+b"), "a number");
	ok(!semver_take_number(&in, &n) && slice_is(in, ".07-rc.1+b"), "none at a dot");
	in = slice_str("07");
	ok(!semver_take_number(&in, &n) && slice_is(in, "07"), "none with a leading zero");
	in = slice_str("rc.1+b");
	ok(semver_take_pre(&in, &part) && slice_is(part, "rc.1") && slice_is(in, "+b"),
	    "a pre-release");
	in = slice_str("01,");
	ok(!semver_take_pre(&in, &part) && slice_is(in, "01,"), "none with a leading zero");
	ok(semver_take_build(&in, &part) && slice_is(part, "01") && slice_is(in, ","), "a build");
	ok(!semver_take_build(&in, &part) && slice_is(in, ","), "none at a comma");
}

int
main(void)
{
	struct arena *a = arena_new();

	test_parts(a);
	test_valid();
	test_refused();
	test_length();
	test_precedence();
	test_build_does_not_count();
	test_take();
	arena_free(a);
	return tap_done();
}
