#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crate/cfg_expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An expression that is let through is also one inside not(...), unless that is too deep. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice target = slice_of((const char *)data, size);
	struct err err = { 0 };

	if (cfg_expr_check(target, &err) == -1) {
		assert(err.status == 400 && strstr(err.pub, "an invalid target: ") != NULL);
	} else if (slice_has_prefix(target, "cfg(")) {
		char *outer = malloc(size + 5);

		if (outer == NULL)
			return 0;
		memcpy(outer, "cfg(not", 7);
		memcpy(outer + 7, data + 3, size - 3);
		outer[size + 4] = ')';
		assert(cfg_expr_check(slice_of(outer, size + 5), &err) == 0 ||
		       strstr(err.pub, "nested too deeply") != NULL);
		free(outer);
	}
	return 0;
}
