#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "cache/cache_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What keepers are told: whoever may connect to the database may say anything. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	struct cache_message m;
	struct err err;

	if (cache_message_parse(arena_strndup(a, (const char *)p, n), &m)) {
		bool named = m.kind == CACHE_INDEX || m.kind == CACHE_CRATE;

		assert((m.id > 0) == (m.kind != CACHE_EPOCH && m.kind != CACHE_TOKEN));
		assert(named == (m.name[0] != '\0'));
		assert(!named || crate_name_check(slice_str(m.name), "crate", &err) == 0);
		assert((m.kind == CACHE_TOKEN) == (m.who.name[0] != '\0'));
		assert(m.kind != CACHE_ACKNOWLEDGED || m.node[0] != '\0');
		assert(m.node[0] == '\0' || strlen(m.node) == CACHE_NODE_SIZE - 1);
		assert(m.node[0] == '\0' || m.kind == CACHE_SYNC || m.kind == CACHE_ACKNOWLEDGED);
		assert(m.kind != CACHE_TOKEN || strlen(m.who.name) == TOKEN_HANDLE_SIZE - 1);
	}
	arena_free(a);
	return 0;
}
