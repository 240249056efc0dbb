#include <assert.h>
#include <stdint.h>

#include "crate/manifest/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/*
 * Whatever package_check() lets pass must be canonical: a second check changes
 * nothing, and the package agrees with itself.
 */
static void
check_package(struct arena *arena, struct package *pkg)
{
	static const struct package_limits limits = {
		.max_dependencies = 500,
		.max_features = 300,
		.max_keywords = 5,
		.max_categories = 5,
		.strict = "license homepage", .own_registry = "sparse+https://berth.example/",
		.allowed_registries = "*",
	};
	struct err err = { 0 };
	struct package again = *pkg;
	struct package_id id;

	if (package_check_id(arena, pkg, &id, &err) == -1 ||
	    package_check(arena, pkg, &limits, &err) == -1) {
		assert(err.status == 400);
		return;
	}
	again.deps = arena_calloc(arena, pkg->ndeps, sizeof(*again.deps));
	for (size_t i = 0; i < pkg->ndeps; i++)
		again.deps[i] = pkg->deps[i];
	assert(package_check(arena, &again, &limits, &err) == 0);
	package_sort(pkg);
	package_sort(&again);
	assert(package_agree(arena, &again, pkg, &err) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new();
	struct package pkg;
	struct err err = { 0 };

	if (manifest_parse(arena, slice_of((const char *)data, n), &pkg, &err) == 0)
		check_package(arena, &pkg);
	else
		assert(err.status == 400);
	arena_free(arena);
	return 0;
}
