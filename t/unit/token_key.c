#include "access/token_key.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
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

/* As many slots as there can be, and one more. */
static void
test_many(void)
{
	struct token_keys keys;
	struct arena *a = arena_new();
	const char *text = REGISTRY;
	struct err err = { 0 };

	for (int i = 0; i < TOKEN_KEYS_MAX; i++)
		text = arena_printf(a, "%s%02d \"" KEY "\";\n", text, i);
	is_int(token_keys_parse(slice_str(text), &keys, &err), 0, "64 keys");
	is_int(keys.n, TOKEN_KEYS_MAX, "are all there");
	text = arena_printf(a, "%szz \"" KEY "\";\n", text);
	ok(token_keys_parse(slice_str(text), &keys, &err) == -1 &&
	        strcmp(err.detail, "line 66 is the 65th key of at most 64; remove lines of retired slots") == 0,
	    "one more is refused: %s", err.detail);
	arena_free(a);
}

/* What the command line and the log say of a file that cannot be read. */
static void
test_file(void)
{
	char path[] = "/tmp/berth-token-key-XXXXXX";
	static const char registry[] = REGISTRY;
	int fd = mkstemp(path);
	struct token_keys keys;
	struct err err = { 0 };

	ok(fd != -1 && write(fd, registry, strlen(registry)) == (ssize_t)strlen(registry), "a file");
	is_int(token_keys_read(path, &keys, &err), 0, "is read");
	ok(ftruncate(fd, TOKEN_KEY_FILE_MAX + 1) == 0 && token_keys_read(path, &keys, &err) == -1 &&
	        strstr(err.detail, path) != NULL && strstr(err.detail, "is longer than 8192 bytes") != NULL,
	    "not one that is too long: %s", err.detail);
	err_clear(&err);
	ok(unlink(path) == 0 && token_keys_read(path, &keys, &err) == -1 && err.status == 500 &&
	        strstr(err.detail, "token_key: cannot read /tmp/berth-") != NULL &&
	        strstr(err.detail, "No such file") != NULL, "nor one that is not there: %s", err.detail);
	close(fd);
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
	test_many();
	test_file();
	test_made();
	return tap_done();
}
