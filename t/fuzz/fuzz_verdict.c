#include <assert.h>
#include <stdint.h>

#include "crate/inspect/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What can be read is written the same way from then on. */
static void
round_trip(struct arena *arena, const struct verdict *v)
{
	struct buf first, second;
	struct verdict again;
	struct err err = { 0 };

	buf_init(&first, arena, VERDICT_MAX);
	buf_init(&second, arena, VERDICT_MAX);
	verdict_encode(&first, v);
	if (buf_full(&first))
		return;
	assert(verdict_decode(arena, buf_slice(&first), &again, &err) == 0);
	verdict_encode(&second, &again);
	assert(first.n == second.n && memcmp(first.p, second.p, first.n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new();
	struct verdict v;
	struct err err = { 0 };

	if (verdict_decode(arena, slice_of((const char *)data, n), &v, &err) == 0)
		round_trip(arena, &v);
	else
		assert(err.status == 500);
	arena_free(arena);
	return 0;
}
