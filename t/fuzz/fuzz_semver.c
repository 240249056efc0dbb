#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "crate/semver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two versions, one a line: printing and reading keeps precedence, which is an order. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t n = newline != NULL ? (size_t)(newline - data) : size;
	struct slice first = slice_of((const char *)data, n), second = first;
	struct arena *a = arena_new();
	struct err err = { 0 };
	struct semver v, w, again;

	if (newline != NULL)
		second = slice_of((const char *)newline + 1, size - n - 1);
	if (semver_parse(first, &v, &err) == 0) {
		const char *base = semver_base(a, &v);

		assert(semver_compare(&v, &v) == 0);
		assert(semver_parse(slice_str(base), &again, &err) == 0);
		assert(again.build.n == 0 && semver_compare(&v, &again) == 0);
		if (semver_parse(second, &w, &err) == 0) {
			int there = semver_compare(&v, &w), back = semver_compare(&w, &v);

			assert((there > 0) == (back < 0) && (there == 0) == (back == 0));
			assert((there == 0) == (strcmp(base, semver_base(a, &w)) == 0));
		}
	} else {
		assert(err.status == 400 && err.pub[0] != '\0');
	}
	arena_free(a);
	return 0;
}
