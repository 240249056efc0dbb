#include "access/token_key.h"

#include "tap.h"

#define REGISTRY "registry \"550e8400-e29b-41d4-a716-446655440000\";\n"
#define KEY "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

static void
test_read(void)
{
	struct token_keys keys;
	struct err err = { 0 };
	const struct token_key *k;

	is_int(token_keys_parse(slice_str("# of us\n\n" REGISTRY "a1 \"" KEY "\";\nzz\t\"" KEY "\";"), &keys, &err),
	    0, "two keys");
	is_str(keys.registry_id, "550e8400-e29b-41d4-a716-446655440000", "of that registry");
	is_int(keys.n, 2, "both are there");
	is_str(keys.v[1].slot, "zz", "the last one is the last");
	k = token_keys_find(&keys, slice_str("a1"));
	ok(k != NULL && strcmp(k->key, KEY) == 0, "a slot is found");
	ok(token_keys_find(&keys, slice_str("A1")) == NULL, "in its own case alone");
	is_int(token_keys_parse(slice_str(REGISTRY), &keys, &err), 0, "a registry without keys");
	is_int(keys.n, 0, "has none");
}

static void
test_refused(void)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "the line registry" },
		{ "a1 \"" KEY "\";\n", "the line registry" },
		{ REGISTRY REGISTRY, "line 2 must be the only one for registry" },
		{ "registry \"550E8400-e29b-41d4-a716-446655440000\";\n", "line 1 must be the only one" },
		{ "registry \"550e8400\";\n", "line 1 must be the only one" },
		{ REGISTRY "a1 \"\";\n", "line 2 needs a key of 43" },
		{ REGISTRY "a1 \"" KEY "x\";\n", "line 2 needs a key of 43" },
		{ REGISTRY "a1 \"0123456789abcdefghijklmnopqrstuvwxyzABCDEF-\";\n", "line 2 needs a key" },
		{ REGISTRY "a \"" KEY "\";\n", "line 2 must begin with registry or with a slot" },
		{ REGISTRY "abc \"" KEY "\";\n", "line 2 must begin with registry or with a slot" },
		{ REGISTRY "a- \"" KEY "\";\n", "line 2 must begin with registry or with a slot" },
		{ REGISTRY "A1 \"" KEY "\";\n", "line 2 must begin with registry or with a slot" },
		{ REGISTRY "a1 \"" KEY "\";\na1 \"" KEY "\";\n", "line 3 repeats a slot" },
		{ REGISTRY "a1 " KEY ";\n", "line 2 is not of the form" },
		{ REGISTRY "\"" KEY "\";\n", "line 2 is not of the form" },
		{ REGISTRY "a1 \"" KEY "\"\n", "line 2 is not of the form" },
	};
	struct token_keys keys;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = { 0 };

		ok(token_keys_parse(slice_str(cases[i].text), &keys, &err) == -1, "case %zu is refused", i);
		ok(strstr(err.detail, cases[i].why) != NULL, "%s", cases[i].why);
		ok(strstr(err.detail, "0123456789") == NULL && keys.n == 0, "and no key is told or kept");
	}
}

static void
test_made(void)
{
	char one[TOKEN_KEY_FINGERPRINT_SIZE], two[TOKEN_KEY_FINGERPRINT_SIZE];
	struct token_key key, other;
	struct err err = { 0 };

	is_int(token_key_generate("k7", &key, &err), 0, "a key");
	is_int(token_key_generate("k8", &other, &err), 0, "another");
	is_int(strlen(key.key), TOKEN_KEY_LENGTH, "of full length");
	ok(strcmp(key.key, other.key) != 0 && strcmp(key.slot, "k7") == 0, "each is its own");
	ok(token_key_fingerprint(&key, one) && token_key_fingerprint(&other, two) && strcmp(one, two) != 0,
	    "two keys have two fingerprints");
}

int
main(void)
{
	test_read();
	test_refused();
	test_made();
	return tap_done();
}
