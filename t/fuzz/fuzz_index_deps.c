#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "crate/index_deps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For any text, each part is inside the text and after the parts before it, and the parser stops. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	struct index_deps deps = index_deps_of(text);
	const char *from = text.p;
	struct index_dep dep;
	struct err err = { 0 };
	size_t n = 0;

	while (index_deps_next(&deps, &dep, &err) == 1) {
		assert(dep.crate.n > 0 && dep.registry.n > 0 && ++n <= size);
		assert(dep.crate.p >= text.p && dep.crate.p + dep.crate.n <= text.p + text.n);
		assert(dep.registry.p >= from && dep.registry.p + dep.registry.n <= text.p + text.n);
		from = dep.registry.p + dep.registry.n;
	}
	return 0;
}
