#include "crate/version_req.h"

#include "base/buf.h"
#include "tap.h"

/* What cargo's own parser (semver 1.0) prints for each. */
static void
test_canonical(struct arena *a)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "1", "^1" },
		{ "1.0", "^1.0" },
		{ "1.0.0", "^1.0.0" },
		{ "0", "^0" },
		{ "^1.2", "^1.2" },
		{ "~1.2.3", "~1.2.3" },
		{ "=1", "=1" },
		{ "= 1.2.3", "=1.2.3" },
		{ ">1", ">1" },
		{ "<1.2", "<1.2" },
		{ ">= 1.2, <2", ">=1.2, <2" },
		{ "  >=1.2  ,<2  ", ">=1.2, <2" },
		{ ">=1,<2,>1.5", ">=1, <2, >1.5" },
		{ "<= 3.0.0", "<=3.0.0" },
		{ "*", "*" },
		{ "x", "*" },
		{ " X ", "*" },
		{ "1.*", "1.*" },
		{ "1.x", "1.*" },
		{ "1.X.*", "1.*" },
		{ "1.2.*", "1.2.*" },
		{ "1.2.x, 1.*", "1.2.*, 1.*" },
		{ ">1.*", ">1" },
		{ "=1.2.*", "=1.2" },
		{ "~1.*.*", "~1" },
		{ "^1.x", "^1" },
		{ "1.0.0+meta", "^1.0.0" },
		{ "1.0.0-alpha.1+meta.01", "^1.0.0-alpha.1" },
		{ ">=1.0.0-rc.1, <1.0.0", ">=1.0.0-rc.1, <1.0.0" },
		{ "1.0.0--", "^1.0.0--" },
		{ "18446744073709551615.0.0", "^18446744073709551615.0.0" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = { 0 };
		const char *got = NULL, *again = NULL;

		ok(version_req_canonical(a, slice_str(cases[i].text), &got, &err) == 0, "\"%s\"",
		    cases[i].text);
		is_str(got, cases[i].want, "its canonical form");
		ok(version_req_canonical(a, slice_str(cases[i].want), &again, &err) == 0, "again");
		is_str(again, cases[i].want, "does not change");
	}
}

/* In each row all mean the same, and no row means what another one does. */
static void
test_meaning(struct arena *a)
{
	static const char *const rows[][8] = {
		{ "^0", "0.*", "0", "^0.*", "~0", "=0", "0.x", "^0.*.*" },
		{ "^1", "1.*", "1", "1.X.*", "~1.*", "=1" },
		{ "~1.2", "1.2.*", "=1.2", "~1.2.*", "=1.2.*" },
		{ "^1.2", "1.2" },
		{ "^0.3", "0.3", "~0.3", "=0.3", "0.3.*" },
		{ "^0.0", "0.0.*", "~0.0", "=0.0" },
		{ "^0.3.1", "~0.3.1" },
		{ "^0.0.5", "=0.0.5" },
		{ "~0.0.5" },
		{ "^0.0.5-a" },
		{ "=0.0.5-a" },
		{ "^0.3.1-a", "~0.3.1-a" },
		{ "=1.2.3" },
		{ "^1.2.3", "1.2.3+b" },
		{ "~1.2.3" },
		{ ">=1", ">=1.0", ">=1.0.0", ">=1.*" },
		{ "<2", "<2.0.0" },
		{ ">1" },
		{ ">1.0" },
		{ ">1.0.0" },
		{ "<=1" },
		{ "<=1.0" },
		{ ">=1, <2", "<2.0,>=1.0.0" },
		{ ">=1, <2, >1.5" },
		{ "*" },
	};
	const char *means[sizeof(rows) / sizeof(*rows)];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (size_t k = 0; k < 8 && rows[i][k] != NULL; k++) {
			struct err err = { 0 };
			const char *text = NULL;

			ok(version_req_canonical(a, slice_str(rows[i][k]), &text, &err) == 0, "%s", rows[i][k]);
			text = version_req_meaning(a, text);
			if (k == 0)
				means[i] = text;
			is_str(text, means[i], rows[i][k]);
		}
		for (size_t k = 0; k < i; k++)
			ok(strcmp(means[i], means[k]) != 0, "%s is not %s", rows[i][0], rows[k][0]);
	}
	is_str(version_req_meaning(a, "broken"), "broken", "no requirement");
	is_str(version_req_meaning(a, ""), "", "nothing");
}

static void
test_refused(struct arena *a)
{
	static const char *const texts[] = { "", " ", "broken", ",", "1,", "1,,2", ",1", "1 2",
		"1.2.3.4", "1.", "1.2.", "01", "1.02", "^", ">=", ">", "> =1", "=>1", "==1", "!1",
		"^^1", "~>1", ">*", "*,1", "*, <2", "1, *", "* 1", "**", "xx", "*.1", "*.*",
		"1.*.1", "1.*.x.1", "1.*-a", "1-a", "1.0-a", "1+b", "1.0.0-", "1.0.0+", "1.0.0-01",
		"1.0.0-a..b", "1.0.0-a_b", "1.0.0 -a", "v1", "1.0.0;", "1\t", "\t1", "1 || 2",
		"1.0 - 2.0", "é", "18446744073709551616" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct err err = { 0 };
		const char *out = NULL;

		ok(version_req_canonical(a, slice_str(texts[i]), &out, &err) == -1 &&
			err.status == 400,
		    "\"%s\" is refused", texts[i]);
		ok(out == NULL, "no result");
	}
}

static void
test_sentence(struct arena *a)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "broken", "the major number is not a number" },
		{ "", "the major number is missing" },
		{ "1,", "the major number is missing" },
		{ ">=", "the major number is missing" },
		{ "==1", "the major number is not a number" },
		{ "v1", "the major number is not a number" },
		{ "1.", "the minor number is missing" },
		{ "1.b", "the minor number is not a number" },
		{ "1.2.", "the patch number is missing" },
		{ "01", "the major number has a leading zero" },
		{ "1.02", "the minor number has a leading zero" },
		{ "18446744073709551616", "the major number is larger than 18446744073709551615" },
		{ "1.2.3.4", "expected a comma or the end instead of `.`" },
		{ "1 2", "expected a comma or the end instead of `2`" },
		{ "1 || 2", "expected a comma or the end instead of `|`" },
		{ "1.0 - 2.0", "expected a comma or the end instead of `-`" },
		{ "1.*-a", "a pre-release or build metadata can only follow three numbers" },
		{ "1.0-a", "a pre-release or build metadata can only follow three numbers" },
		{ "1+b", "a pre-release or build metadata can only follow three numbers" },
		{ "1.0.0-", "the pre-release is missing" },
		{ "1.0.0-01", "the pre-release has a number with a leading zero" },
		{ "1.0.0-a..b", "the pre-release has an empty part" },
		{ "1.0.0+", "the build metadata is missing" },
		{ "1.*.1", "a number follows a wildcard" },
		{ "*, <2", "a `*` alone cannot be one part of several" },
		{ ">*", "a `*` alone cannot be one part of several" },
		{ "1, *", "a `*` alone cannot be one part of several" },
	};
	static char big[100000];
	struct err err = { 0 };
	const char *out;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		is_int(version_req_canonical(a, slice_str(cases[i].text), &out, &err), -1, cases[i].text);
		is_str(err.pub, arena_printf(a, "\"%s\" is an invalid version requirement: %s",
		    cases[i].text, cases[i].why), "its sentence");
	}
	memset(big, '9', sizeof(big));
	is_int(version_req_canonical(a, slice_of(big, sizeof(big)), &out, &err), -1, "many digits");
	ok(strstr(err.pub, "\" is an invalid version requirement: the major number is larger than") != NULL,
	    "the sentence is whole");
	is_int(version_req_canonical(a, slice_of("1\0", 2), &out, &err), -1, "NUL at the end");
}

static void
test_comparators(struct arena *a)
{
	struct buf in, want;
	struct err err = { 0 };
	const char *out = NULL;

	buf_init(&in, a, 4096);
	buf_init(&want, a, 4096);
	for (int i = 0; i < 32; i++) {
		buf_puts(&in, i > 0 ? ",1" : "1");
		buf_puts(&want, i > 0 ? ", ^1" : "^1");
	}
	is_int(version_req_canonical(a, buf_slice(&in), &out, &err), 0, "32 comparators");
	is_str(out, buf_str(&want), "each is printed");
	buf_puts(&in, ",1");
	is_int(version_req_canonical(a, buf_slice(&in), &out, &err), -1, "33 are too many");
	is_int(err.status, 400, "400");
	ok(strstr(err.pub, "requirement: it has more than 32 parts") != NULL, "%s", err.pub);
}

static void
test_long_pre_release(struct arena *a)
{
	struct buf in;
	struct err err = { 0 };
	const char *out = NULL;

	buf_init(&in, a, 4096);
	buf_puts(&in, "1.0.0-");
	for (int i = 0; i < 1000; i++)
		buf_putc(&in, 'a');
	is_int(version_req_canonical(a, buf_slice(&in), &out, &err), 0, "1000 letters");
	ok(out != NULL && out[0] == '^' && strcmp(out + 1, buf_str(&in)) == 0, "all are printed");
}

/* As cargo's own parser (semver 1.0) judges: requirement, versions that pass, versions that do not. */
static void
test_matches(struct arena *a)
{
	static const struct {
		const char *req, *pass, *fail;
	} cases[] = {
		{ "^1", "1.0.0 1.9.9", "0.9.9 2.0.0 1.0.0-a 2.0.0-a" },
		{ "^1.2", "1.2.0 1.3.0", "1.1.9 2.0.0" },
		{ "^1.2.3", "1.2.3 1.2.4 1.3.0", "1.2.2 2.0.0 1.2.4-a" },
		{ "^0", "0.0.0 0.9.0", "1.0.0" },
		{ "^0.2", "0.2.0 0.2.9", "0.1.0 0.3.0" },
		{ "^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0" },
		{ "^0.0", "0.0.0 0.0.9", "0.1.0" },
		{ "^0.0.3", "0.0.3", "0.0.2 0.0.4" },
		{ "^1.2.3-b", "1.2.3-b 1.2.3-c 1.2.3 1.9.0", "1.2.3-a 1.2.4-b 2.0.0-b" },
		{ "~1", "1.0.0 1.9.0", "0.9.0 2.0.0" },
		{ "~1.2", "1.2.0 1.2.9", "1.1.0 1.3.0" },
		{ "~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0" },
		{ "=1", "1.0.0 1.9.0", "2.0.0" },
		{ "=1.2", "1.2.0 1.2.9", "1.3.0" },
		{ "=1.2.3", "1.2.3 1.2.3+x", "1.2.4 1.2.3-a" },
		{ "1.*", "1.0.0 1.9.0", "2.0.0 1.0.0-a" },
		{ "1.2.*", "1.2.0 1.2.9", "1.3.0" },
		{ "*", "0.0.0 9.9.9", "1.0.0-a" },
		{ ">1", "2.0.0", "1.0.0 1.9.9 2.0.0-a" },
		{ ">1.2", "1.3.0 2.0.0", "1.2.9" },
		{ ">1.2.3", "1.2.4", "1.2.3" },
		{ ">=1", "1.0.0 9.0.0", "0.9.9 1.0.0-a" },
		{ ">=1.2.3-a", "1.2.3-a 1.2.3 2.0.0", "1.2.2 1.2.4-a" },
		{ "<2", "1.9.9", "2.0.0 2.0.0-a 1.9.9-a" },
		{ "<2.1", "2.0.9 1.0.0", "2.1.0" },
		{ "<2.0.0-b", "1.0.0 2.0.0-a", "2.0.0-b 2.0.0" },
		{ "<=2", "2.9.9 1.0.0", "3.0.0" },
		{ "<=2.1", "2.1.9", "2.2.0" },
		{ "<=2.1.3", "2.1.3", "2.1.4" },
		{ ">=1.2, <2", "1.2.0 1.9.9", "1.1.9 2.0.0" },
		{ ">=2.0.0-a, <2", "", "2.0.0-b 2.0.0 1.0.0" },
		{ ">=1.0.0-a, <1.0.0", "1.0.0-a 1.0.0-b", "1.0.0 0.9.0" },
		{ "^18446744073709551615", "18446744073709551615.0.0", "1.0.0" },
		{ "", "", "1.0.0" },
		{ "nonsense", "", "1.0.0" },
		{ "^1 ^2", "", "1.0.0 2.0.0" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (int pass = 0; pass <= 1; pass++) {
			const char *list = pass ? cases[i].pass : cases[i].fail;

			for (size_t n; (n = strcspn(list, " ")) > 0; list += n + (list[n] == ' ')) {
				struct semver v;
				struct err err = { 0 };

				ok(semver_parse(slice_of(list, n), &v, &err) == 0 &&
				    version_req_matches(a, cases[i].req, &v) == pass, "%s: %.*s %s", cases[i].req, (int)n,
				    list, pass ? "passes" : "does not");
			}
		}
	}
}

int
main(void)
{
	struct arena *a = arena_new();

	test_canonical(a);
	test_meaning(a);
	test_matches(a);
	test_refused(a);
	test_sentence(a);
	test_comparators(a);
	test_long_pre_release(a);
	arena_free(a);
	return tap_done();
}
