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
	const struct semver versions[] = {
		{ .major = 1, .pre = { "", 0 } },
		{ .major = 1, .minor = 2, .patch = 3, .pre = { "", 0 } },
		{ .minor = 2, .patch = 1, .pre = { "", 0 } },
		{ .patch = 3, .pre = { "", 0 } },
		{ .major = 2, .pre = { "", 0 } },
	};

	if (version_req_canonical(a, slice_of((const char *)data, size), &once, &err) == 0) {
		assert(version_req_canonical(a, slice_str(once), &twice, &err) == 0);
		assert(strcmp(once, twice) == 0);
		/* what says the same lets the same pass */
		for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
			assert(version_req_matches(a, once, &versions[i]) ==
			    version_req_matches(a, version_req_meaning(a, once), &versions[i]));
	} else {
		assert(err.status == 400 && err.pub[0] != '\0');
	}
	arena_free(a);
	return 0;
}
