#include "crate/crate_name.h"

#include "tap.h"

#define NAME_64 "a234567890123456789012345678901234567890123456789012345678901234"
#define FIRST   "the first character must be an ASCII letter"
#define OTHER   "characters must be ASCII letters, digits, `-`, or `_`"

static void
test_valid(void)
{
	static const char *const names[] = { "a", "Z", "ab", "serde", "serde_json", "serde-json",
		"A-_-1", "x--", "a9", NAME_64 };
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		ok(crate_name_check(slice_str(names[i]), "crate", &err) == 0, "%s", names[i]);
		ok(crate_name_check_alias(slice_str(names[i]), &err) == 0, "alias %s", names[i]);
	}
	ok(err.status == 0, "no error was set");
}

static void
test_refused(void)
{
	static const struct {
		const char *name;
		const char *want;
	} cases[] = {
		{ "", "crate name cannot be empty" },
		{ NAME_64 "5",
		    "the crate name `" NAME_64 "5` is too long: it has 65 characters, and at most 64 are allowed" },
		{ "123", "the name `123` cannot be used as a crate name, "
			 "the name cannot start with a digit" },
		{ "_foo", "invalid character `_` in crate name: `_foo`, " FIRST },
		{ "-foo", "invalid character `-` in crate name: `-foo`, " FIRST },
		{ "áccênts", "invalid character `á` in crate name: `áccênts`, " FIRST },
		{ "京", "invalid character `京` in crate name: `京`, " FIRST },
		{ "snow☃", "invalid character `☃` in crate name: `snow☃`, " OTHER },
		{ "foo bar", "invalid character ` ` in crate name: `foo bar`, " OTHER },
		{ "foo+x", "invalid character `+` in crate name: `foo+x`, " OTHER },
		{ "foo.x", "invalid character `.` in crate name: `foo.x`, " OTHER },
		{ "foo/x", "invalid character `/` in crate name: `foo/x`, " OTHER },
		{ "foo:x", "invalid character `:` in crate name: `foo:x`, " OTHER },
		{ "foo::bar", "the crate name `foo::bar` is in a namespace, which registries cannot store yet; "
			      "use `-` or `_` in place of `::`" },
		{ "foo.x::y", "invalid character `.` in crate name: `foo.x::y`, " OTHER },
		{ "::foo", "invalid character `:` in crate name: `::foo`, " FIRST },
		{ "foo\xff", "invalid character `?` in crate name: `foo?`, " OTHER },
		{ "foo\n", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = { 0 };

		ok(crate_name_check(slice_str(cases[i].name), "crate", &err) == -1,
		    "`%s` is refused", cases[i].want != NULL ? cases[i].name : "foo\\n");
		is_int(err.status, 400, "400");
		if (cases[i].want != NULL)
			is_str(err.pub, cases[i].want, "the sentence");
	}
}

static void
test_length_in_characters(void)
{
	struct err err = { 0 };
	char name[132];

	/* 64 characters, 128 bytes: what is wrong is the character, not the length */
	for (size_t i = 0; i < 130; i += 2)
		memcpy(name + i, "é", 2);
	ok(crate_name_check(slice_of(name, 128), "crate", &err) == -1, "64 accents");
	ok(strncmp(err.pub, "invalid character", 17) == 0, "invalid character");
	ok(crate_name_check(slice_of(name, 130), "crate", &err) == -1, "65 accents");
	ok(strstr(err.pub, "too long: it has 65 characters, and at most 64 are allowed") != NULL, "too long");
	ok(crate_name_check(slice_of("foo\0bar", 7), "crate", &err) == -1, "a NUL inside");
}

static void
test_long_text_leaves_room(void)
{
	static char name[1 << 20];
	struct err err = { 0 };

	memset(name, 'a', sizeof(name));
	ok(crate_name_check(slice_of(name, sizeof(name)), "crate", &err) == -1, "a megabyte");
	ok(strstr(err.pub, "is too long: it has 1048576 characters, and at most 64 are allowed") != NULL,
	    "the sentence is whole");
}

static void
test_dependency(void)
{
	struct err err = { 0 };

	ok(crate_name_check(slice_str("🦀"), "dependency", &err) == -1, "a crab is refused");
	is_str(
	    err.pub, "invalid character `🦀` in dependency name: `🦀`, " FIRST, "its sentence");
	ok(crate_name_check(slice_str(""), "dependency", &err) == -1, "an empty one is refused");
	is_str(err.pub, "dependency name cannot be empty", "its sentence");
	ok(crate_name_check(slice_str("_x"), "dependency", &err) == -1, "_x is no package");
}

static void
test_alias(void)
{
	static const char *const refused[] = { "", "💩", "1-foo", "-foo", "foo-🦀-bar", "a.b",
		NAME_64 "5" };
	struct err err = { 0 };

	ok(crate_name_check_alias(slice_str("_x"), &err) == 0, "_x");
	ok(crate_name_check_alias(slice_str("_"), &err) == 0, "_");
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		err_clear(&err);
		ok(crate_name_check_alias(slice_str(refused[i]), &err) == -1 && err.status == 400,
		    "alias `%s` is refused", refused[i]);
	}
	ok(crate_name_check_alias(slice_str("-foo"), &err) == -1, "-foo");
	is_str(err.pub, "invalid character `-` in dependency name: `-foo`, " FIRST ", or `_`",
	    "the sentence names `_`");
}

static void
test_reserved(void)
{
	static const char *const yes[] = { "std", "STD", "compiler-rt", "compiler_rt",
		"coMpiLer_Rt", "proc_macro", "nul", "CON", "com1", "COM9", "lpt1", "aux", "prn",
		"new", "New" };
	static const char *const no[] = { "", "st", "stdx", "com0", "com10", "news", "serde",
		"proc macro" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		ok(crate_name_reserved(slice_str(yes[i])), "%s is reserved", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		ok(!crate_name_reserved(slice_str(no[i])), "`%s` is free", no[i]);
}

static void
test_listed(void)
{
	static const char names[] = " In_House\tcore-lib x";
	static const char *const yes[] = { "in-house", "IN_HOUSE", "Core_Lib", "x" };
	static const char *const no[] = { "", "in", "house", "in-house-", "in-hous", "x-", " " };

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		ok(crate_name_listed(slice_str(yes[i]), names), "%s is listed", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		ok(!crate_name_listed(slice_str(no[i]), names), "`%s` is not", no[i]);
	ok(!crate_name_listed(slice_str("x"), ""), "an empty list");
}

static void
test_forms(struct arena *a)
{
	static const struct {
		const char *name, *normal, *lower, *path;
	} cases[] = {
		{ "A", "a", "a", "1/a" },
		{ "aB", "ab", "ab", "2/ab" },
		{ "A_b", "a-b", "a_b", "3/a/a_b" },
		{ "a-b", "a-b", "a-b", "3/a/a-b" },
		{ "ws-a", "ws-a", "ws-a", "ws/-a/ws-a" },
		{ "aBcDe", "abcde", "abcde", "ab/cd/abcde" },
		{ "Foo_Bar-2", "foo-bar-2", "foo_bar-2", "fo/o_/foo_bar-2" },
		{ NAME_64, NAME_64, NAME_64, "a2/34/" NAME_64 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice name = slice_str(cases[i].name);

		is_str(crate_name_normalize(a, name), cases[i].normal, "normal form");
		is_str(crate_name_lower(a, name), cases[i].lower, "lower case");
		is_str(crate_name_index_path(a, name), cases[i].path, "index path");
	}
	/* a slice need not end where its text does */
	is_str(crate_name_index_path(a, slice_of("abcdef", 4)), "ab/cd/abcd", "part of a text");
}

int
main(void)
{
	struct arena *a = arena_new();

	test_valid();
	test_refused();
	test_length_in_characters();
	test_long_text_leaves_room();
	test_dependency();
	test_alias();
	test_reserved();
	test_listed();
	test_forms(a);
	arena_free(a);
	return tap_done();
}
