#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "store/public.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What keepers are told: whoever may connect to the database may say anything. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	struct public_tale t;
	struct err err;

	if (public_tale_parse(arena_strndup(a, (const char *)p, n), &t)) {
		bool named = t.kind == PUBLIC_INDEX || t.kind == PUBLIC_CRATE;

		assert((t.id > 0) == (t.kind != PUBLIC_ALL && t.kind != PUBLIC_GENERATION) && named == (t.name[0] != '\0'));
		assert(!named || crate_name_check(slice_str(t.name), "crate", &err) == 0);
	}
	arena_free(a);
	return 0;
}
