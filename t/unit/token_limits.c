/* access/token_limits: what a token is limited to. */
#include "access/token_limits.h"

#include "tap.h"

static void
valid(const char *pattern, bool want)
{
	ok(token_pattern_valid(slice_str(pattern)) == want, "`%s` is %s pattern", pattern,
	    want ? "a" : "no");
}

static void
allows(const char *patterns, const char *crate, bool want)
{
	struct token_limits limits = { TOKEN_ANY_OPERATION, patterns };
	struct err e = { 0 };
	int rc = token_limits_check(&limits, TOKEN_YANK, crate, &e);

	ok(rc == (want ? 0 : -1) && e.status == (want ? 0 : 403), "%s: %s, %s",
	    patterns != NULL ? patterns : "(none)", crate, want ? "yes" : "no");
}

/* Each refusal names the right that the token lacks. */
static void
test_refusals(void)
{
#define REFUSED "this token does not have the required permissions to perform this action: "
	static const struct {
		const char *crates;
		unsigned has;
		enum token_operation operation;
		const char *want;
	} cases[] = {
		{ NULL, TOKEN_YANK, TOKEN_PUBLISH_NEW, "it lacks the operation `publish-new`" },
		{ NULL, TOKEN_YANK, TOKEN_PUBLISH_UPDATE, "it lacks the operation `publish-update`" },
		{ NULL, TOKEN_OWNERS, TOKEN_YANK, "it lacks the operation `yank`" },
		{ NULL, 0, TOKEN_OWNERS, "it lacks the operation `owners`" },
		{ "foo-*,bar", TOKEN_YANK, TOKEN_YANK,
		    "it does not cover the crate `baz`, only `foo-*,bar`" },
		{ "foo-*,bar", TOKEN_YANK, TOKEN_OWNERS, "it lacks the operation `owners`" },
	};
	struct err e = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct token_limits limits = { cases[i].has, cases[i].crates };

		is_int(token_limits_check(&limits, cases[i].operation, "baz", &e), -1, "refused");
		is_int(e.status, 403, "with 403");
		ok(strncmp(e.pub, REFUSED, strlen(REFUSED)) == 0, "in the words of the public registry");
		is_str(e.pub + strlen(REFUSED), cases[i].want, "and with what is missing");
	}
	is_int(token_limits_refuse(TOKEN_PUBLISH_NEW | TOKEN_PUBLISH_UPDATE, &e), -1, "one of two");
	is_str(e.pub, REFUSED "it lacks the operation `publish-new` or `publish-update`", "says both");
	is_int(token_limits_refuse(TOKEN_ANY_OPERATION, &e), -1, "one of all");
	is_str(e.pub, REFUSED
	    "it lacks the operation `publish-new` or `publish-update` or `yank` or `owners`", "fits");
	is_int(token_limits_refuse(0, &e), -1, "no limits at all");
	is_str(e.pub, REFUSED "it needs a token without limits",
	    "is said so");
}

int
main(void)
{
	char longest[66];
	struct err e = { 0 };
	struct token_limits yank = { TOKEN_YANK, NULL };

	memset(longest, 'x', sizeof(longest));
	longest[64] = '\0';
	valid(longest, true);
	longest[64] = '*';
	longest[65] = '\0';
	valid(longest, true);
	longest[64] = 'x';
	valid(longest, false);
	valid("foo", true);
	valid("Foo_bar-9", true);
	valid("foo*", true);
	valid("foo_*", true);
	valid("*", true);
	valid("", false);
	valid("**", false);
	valid("f*o", false);
	valid("*foo", false);
	valid("9foo", false);
	valid("_foo", false);
	valid("foo.bar", false);
	valid("foo bar", false);
	valid("foo%", false);

	allows(NULL, "anything", true);
	allows("*", "anything", true);
	allows("foo", "foo", true);
	allows("foo", "FOO", true);
	allows("foo", "fooo", false);
	allows("foo", "fo", false);
	allows("foo-bar", "foo_bar", true);
	allows("foo-bar", "Foo-Bar", true);
	allows("foo-bar", "foobar", false);
	allows("foo-*", "foo_bar", true);
	allows("foo-*", "foo-", true);
	allows("foo-*", "foo", false);
	allows("foo-*", "food", false);
	allows("foo*", "foo", true);
	allows("a,b,c-*", "b", true);
	allows("a,b,c-*", "c_x", true);
	allows("a,b,c-*", "ab", false);
	allows("a,b,c-*", "c", false);

	is_int(token_operations_parse(NULL), TOKEN_ANY_OPERATION, "no list: all");
	is_int(token_operations_parse(""), 0, "an empty list: none");
	is_int(token_operations_parse("yank"), TOKEN_YANK, "one");
	is_int(token_operations_parse("publish-new,publish-update,yank,owners"),
	    TOKEN_ANY_OPERATION, "each");
	is_int(token_operations_parse("owners,publish-new"), TOKEN_OWNERS | TOKEN_PUBLISH_NEW,
	    "in any order");
	is_int(token_operations_parse("publish,yanks,own"), 0, "others are none");

	is_int(token_limits_check(&yank, TOKEN_YANK, "a", &e), 0, "its operation");
	is_int(token_limits_check(&yank, TOKEN_PUBLISH_NEW, "a", &e), -1, "another one");
	is_int(e.status, 403, "403");
	test_refusals();
	return tap_done();
}
