/* base/keyed_hash: equal texts have equal hashes, others do not, and another key gives others. */
#include "base/keyed_hash.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/provider.h>

#include "tap.h"

static struct keyed_hash *h;

/* The hash of a text in two pieces; all zeros: it failed. */
static void
hash(const char *text, size_t first, unsigned char out[KEYED_HASH_SIZE])
{
	keyed_hash_begin(h);
	keyed_hash_add(h, text, first);
	keyed_hash_add(h, text + first, strlen(text) - first);
	if (!keyed_hash_end(h, out))
		memset(out, 0, KEYED_HASH_SIZE);
}

static bool
same(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, KEYED_HASH_SIZE) == 0;
}

/* An OpenSSL whose providers offer nothing. */
static void
test_without_algorithms(struct arena *arena)
{
	OSSL_LIB_CTX *library = OSSL_LIB_CTX_new(), *whole = OSSL_LIB_CTX_set0_default(library);
	OSSL_PROVIDER *none = OSSL_PROVIDER_load(library, "null");
	struct err err = { 0 };

	ok(none != NULL, "a provider of nothing");
	ok(keyed_hash_new(arena, &err) == NULL, "without Poly1305 and HMAC there is no state");
	is_int(err.status, 500, "that is an error");
	ok(strstr(err.detail, "neither Poly1305 nor HMAC with SHA-256: activate its default") != NULL,
	    "which says what to do");
	(void)OSSL_PROVIDER_unload(none);
	(void)OSSL_LIB_CTX_set0_default(whole);
	OSSL_LIB_CTX_free(library);
}

int
main(void)
{
	static const unsigned char zeros[KEYED_HASH_SIZE];
	unsigned char one[KEYED_HASH_SIZE], other[KEYED_HASH_SIZE];
	struct arena *arena = arena_new();
	struct err err = { 0 };

	test_without_algorithms(arena);
	h = keyed_hash_new(arena, &err);
	if (!ok(h != NULL, "a state"))
		return tap_done();
	hash("a text of more than sixteen bytes", 0, one);
	ok(!same(one, zeros), "it has a hash");
	hash("a text of more than sixteen bytes", 7, other);
	ok(same(one, other), "in pieces it is the same");
	hash("a text of more than sixteen byte", 7, other);
	ok(!same(one, other), "one byte less: another");
	hash("a text of more than sixteen bytez", 7, other);
	ok(!same(one, other), "another byte: another");
	hash("", 0, one);
	hash("", 0, other);
	ok(!same(one, zeros) && same(one, other), "nothing at all");
	hash("a text", 0, one);
	ok(keyed_hash_change(h, &err) == 0, "another key");
	hash("a text", 0, other);
	ok(!same(one, other), "and another hash");
	arena_free(arena);
	return tap_done();
}
