/* base/keyed_hash: equal texts have equal hashes, others do not, and another key gives others. */
#include "base/keyed_hash.h"

#include <string.h>

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

int
main(void)
{
	static const unsigned char zeros[KEYED_HASH_SIZE];
	unsigned char one[KEYED_HASH_SIZE], other[KEYED_HASH_SIZE];
	struct arena *arena = arena_new();
	struct err err = { 0 };

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
