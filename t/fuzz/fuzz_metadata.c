#include <assert.h>
#include <stdint.h>

#include "base/utf8.h"
#include "crate/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_text(const char *text)
{
	assert(text == NULL || utf8_valid(slice_str(text)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct package_limits limits = { .max_dependencies = 500,
		.max_features = 300, .max_keywords = 5, .max_categories = 5, .strict = "license homepage",
		.own_registry = "", .allowed_registries = "*" };
	struct arena *arena = arena_new();
	struct package pkg;
	struct err err = { 0 };

	if (metadata_parse(arena, slice_of((const char *)data, n), &pkg, &err) == 0) {
		assert(pkg.name != NULL && pkg.version != NULL);
		check_text(pkg.name);
		check_text(pkg.readme);
		for (size_t i = 0; i < pkg.ndeps; i++)
			assert(pkg.deps[i].name != NULL && pkg.deps[i].req != NULL);
		package_sort(&pkg);
		assert(package_agree(arena, &pkg, &pkg, &err) == 0);
		assert(package_check(arena, &pkg, &limits, &err) == 0 || err.status == 400);
	} else {
		assert(err.status == 400);
	}
	arena_free(arena);
	return 0;
}
