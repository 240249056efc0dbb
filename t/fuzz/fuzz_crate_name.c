#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "crate/crate_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A name that is let through is plain ASCII, and its forms are names of the same crate. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice name = slice_of((const char *)data, size);
	struct err err = { 0 };
	struct arena *a = arena_new();

	if (crate_name_check_alias(name, &err) == -1)
		assert(err.status == 400 && err.pub[0] != '\0');
	if (crate_name_check(name, "crate", &err) == -1) {
		assert(err.status == 400 && err.pub[0] != '\0');
	} else {
		const char *normal = crate_name_normalize(a, name);
		const char *lower = crate_name_lower(a, name);
		const char *path = crate_name_index_path(a, name);
		size_t n = strlen(path);

		assert(size >= 1 && size <= CRATE_NAME_MAX && strlen(normal) == size);
		assert(strcmp(crate_name_normalize(a, slice_str(lower)), normal) == 0);
		assert(crate_name_check(slice_str(normal), "crate", &err) == 0);
		assert(crate_name_reserved(name) == crate_name_reserved(slice_str(normal)));
		assert(n > size && strcmp(path + n - size, lower) == 0);
	}
	arena_free(a);
	return 0;
}
