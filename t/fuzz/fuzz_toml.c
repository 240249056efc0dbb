#include <assert.h>
#include <stdint.h>

#include "base/utf8.h"
#include "crate/toml/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Every value is reachable, has a place, and every key is found again. */
static void
visit(struct arena *arena, const struct toml_value *v, int depth)
{
	assert(depth <= TOML_DEPTH_MAX && v->line > 0 && v->column > 0);
	if (v->type == TOML_STRING || v->type == TOML_DATETIME)
		assert(utf8_valid(v->u.string));
	if (v->type == TOML_ARRAY) {
		for (size_t i = 0; i < toml_array_size(v->u.array); i++)
			visit(arena, toml_array_at(v->u.array, i), depth + 1);
	}
	if (v->type != TOML_TABLE)
		return;
	for (size_t i = 0; i < toml_table_size(v->u.table); i++) {
		const struct toml_member *m = toml_table_at(v->u.table, i);

		assert(utf8_valid(m->key));
		if (memchr(m->key.p, '\0', m->key.n) == NULL)
			assert(toml_get(v->u.table, arena_slicedup(arena, m->key)) == m->value);
		visit(arena, m->value, depth + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new();
	struct toml_value root = { .type = TOML_TABLE, .line = 1, .column = 1 };
	struct err err = { 0 };

	if (toml_parse(arena, slice_of((const char *)data, n), &root.u.table, &err) == 0)
		visit(arena, &root, 0);
	else
		assert(err.status == 400);
	arena_free(arena);
	return 0;
}
