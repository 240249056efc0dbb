#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "crate/version_req.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The canonical text is a requirement, and its own canonical text. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct err err = { 0 };
	const char *once, *twice;

	if (version_req_canonical(a, slice_of((const char *)data, size), &once, &err) == 0) {
		assert(version_req_canonical(a, slice_str(once), &twice, &err) == 0);
		assert(strcmp(once, twice) == 0);
	} else {
		assert(err.status == 400 && err.pub[0] != '\0');
	}
	arena_free(a);
	return 0;
}
