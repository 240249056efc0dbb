/* Protection rules and audit details, as far as they need no database. */
#include "store/package/protection.h"

#include "access/access.h"
#include "tap.h"

static struct arena *a;
static struct err err;

static void
test_patterns(void)
{
	static const struct {
		const char *pattern;
		bool good;
	} cases[] = {
		{ "foo", true },
		{ "*", true },
		{ "Foo_bar-2*", true },
		{ "*-sys*", true },
		{ "", false },
		{ "foo.*", false },
		{ "foo%", false },
		{ "foo\\", false },
		{ "foo bar", false },
		{ "foo\n", false },
		{ "\xc3\xa9", false },
		{ "a?", false },
	};
	char longest[PROTECTION_PATTERN_MAX + 2];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_int(protection_check_pattern(cases[i].pattern, &err), cases[i].good ? 0 : -1,
		    arena_printf(a, "case %zu: pattern", i));
	memset(longest, 'x', sizeof(longest));
	longest[PROTECTION_PATTERN_MAX] = '\0';
	is_int(protection_check_pattern(longest, &err), 0, "255 bytes");
	longest[PROTECTION_PATTERN_MAX] = 'x';
	longest[PROTECTION_PATTERN_MAX + 1] = '\0';
	is_int(protection_check_pattern(longest, &err), -1, "256 bytes");
	is_int(err.status, 400, "status");
}

static void
test_levels(void)
{
	static const struct {
		const char *word;
		int push, delete; /* -1: refused */
	} cases[] = {
		{ "maintainer", 40, -1 },
		{ "owner", 50, 50 },
		{ "admin", 60, 60 },
		{ "developer", -1, -1 },
		{ "Owner", -1, -1 },
		{ "50", -1, -1 },
		{ "", -1, -1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t push = -1, delete = -1;

		ok((protection_level_parse(cases[i].word, PROTECTION_MAINTAINER, &push, &err) ==
		       0) == (cases[i].push != -1) &&
		        push == cases[i].push, "push: %s", cases[i].word);
		ok((protection_level_parse(cases[i].word, PROTECTION_OWNER, &delete, &err) == 0) ==
		        (cases[i].delete != -1) && delete == cases[i].delete,
		    "delete: %s", cases[i].word);
	}
	is_str(protection_level_name(PROTECTION_ADMIN), "admin", "a name");
	is_str(protection_level_name(PROTECTION_NONE), NULL, "no level has none");
}

static void
test_push_level(void)
{
	struct access_facts f = { .token_kind = "personal", .access_level = LEVEL_OWNER };

	is_int(access_push_level(&f), LEVEL_OWNER, "a person has a level");
	f.token_kind = "job";
	is_int(access_push_level(&f), LEVEL_OWNER, "a job that of its person");
	f.is_admin = true;
	is_int(access_push_level(&f), LEVEL_ADMIN, "an administrator another");
	f.token_kind = "deploy";
	is_int(access_push_level(&f), LEVEL_NONE, "a deploy token none, whatever else is there");
}

static void
test_detail(void)
{
	static const char *const words[] = { "api", "a\"b" };
	struct audit_actor actor = { .user_id = 7, .system_user = "root", .host = "h" };
	struct audit_event event = { .id_key = "token_id", .id = 3 };

	event.facts[0] = (struct audit_fact) { "name", "a \"b\"\n", false };
	event.facts[1] = (struct audit_fact) { "left_out", NULL, false };
	event.facts[2] = (struct audit_fact) { "policy", "{\"x\":null}", true };
	event.facts[3] = audit_fact_words(a, "scopes", words, 2);
	event.facts[4] = audit_fact_time(a, "expires_at", 86400);
	is_str(audit_detail(a, &actor, &event),
	    "{\"token_id\":3,\"name\":\"a \\\"b\\\"\\n\",\"policy\":{\"x\":null},"
	    "\"scopes\":[\"api\",\"a\\\"b\"],\"expires_at\":\"1970-01-02T00:00:00Z\","
	    "\"system_user\":\"root\",\"host\":\"h\"}",
	    "a detail");
	is_str(audit_detail(a, &(struct audit_actor) { 0 }, &(struct audit_event) { 0 }), "{}",
	    "nothing to say");
	for (int i = 0; i < AUDIT__MAX; i++)
		ok(audit_action_names[i] != NULL &&
		        audit_action_exists(slice_str(audit_action_names[i])),
		    "action %d has a name", i);
	ok(!audit_action_exists(slice_str("token")), "part of a name is none");
}

int
main(void)
{
	a = arena_new();
	test_patterns();
	test_levels();
	test_push_level();
	test_detail();
	arena_free(a);
	return tap_done();
}
