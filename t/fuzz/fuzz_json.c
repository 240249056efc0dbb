/* json_parse: what the strict walk lets through, json-c reads, and a second walk agrees. */
#include "base/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice text = slice_of((const char *)data, size);
	struct json_object *o;
	struct err err = { 0 };

	if (json_check(a, text, "input", &err) == 0) {
		if (json_parse(a, text, "input", &o, &err) == -1)
			abort();
	} else if (err.status != 400) {
		abort();
	}
	arena_free(a);
	return 0;
}
