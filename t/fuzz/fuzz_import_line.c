#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "transfer/import_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new();
	struct import_line line;
	struct err err = { 0 };

	if (import_line_parse(arena, slice_of((const char *)data, n), &line, &err) == 0) {
		struct dependency *deps = arena_calloc(arena, line.nregistries, sizeof(*deps));
		struct package pkg = { .deps = deps, .ndeps = line.nregistries };

		assert(line.cksum != NULL && line.published_at.seconds >= 0);
		for (size_t i = 0; i < line.nregistries; i++)
			deps[i] = (struct dependency) { .name = line.registries[i].dependency, .registry = "before" };
		import_line_apply(&line, &pkg);
		/* each dependency of the line has a registry of the line */
		for (size_t i = 0; i < line.nregistries; i++)
			assert(deps[i].registry == NULL || strcmp(deps[i].registry, "before") != 0 ||
			    strcmp(line.registries[i].url, "before") == 0);
	} else {
		assert(err.status == 400);
	}
	arena_free(arena);
	return 0;
}
