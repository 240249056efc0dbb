#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "admin/upkeep/audit_export.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The ended ones come in order, and each is found by its id and time. */
static void
check(struct arena *a, const struct exported_events *events)
{
	size_t n;
	const struct ended_id *ended = audit_export_ended(a, events, &n);

	assert(n <= events->n);
	for (size_t i = 0; i < n; i++) {
		int64_t made = ended[i].made != 0 && ended[i].made <= ended[i].ended ? ended[i].made : ended[i].ended;

		assert(i == 0 || ended[i - 1].id <= ended[i].id);
		if (ended[i].made == 0 || ended[i].made <= ended[i].ended)
			assert(audit_export_has_ended(ended, n, ended[i].id, made));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct audit_export export = { .first_at = INT64_MAX };
	struct arena *a = arena_new(), *piece = arena_new();
	struct slice rest = slice_of((const char *)p, n);
	struct err err = { 0 };
	int rc = 0;

	while (rc == 0 && rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t line = end == NULL ? rest.n : (size_t)(end - rest.p);

		if (line > 0)
			rc = audit_export_take(&export, a, piece, slice_of(rest.p, line), "line", &err);
		rest = end == NULL ? slice_of("", 0) : slice_of(end + 1, rest.n - line - 1);
		arena_reset(piece);
	}
	assert(rc == 0 || err.status == 400);
	check(a, &export.tokens);
	check(a, &export.users);
	arena_free(piece);
	arena_free(a);
	return 0;
}
