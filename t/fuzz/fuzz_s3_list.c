#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "net/s3_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Answers of an object store. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	struct err err = { 0 };
	struct s3_page page;

	if (s3_list_parse(a, slice_of((const char *)p, n), &page, &err) == 0) {
		assert(page.n <= S3_PAGE_MAX);
		for (size_t i = 0; i < page.n; i++)
			assert(strlen(page.entries[i].key) <= S3_KEY_MAX && page.entries[i].size >= 0);
	} else {
		assert(err.status == 503);
	}
	arena_free(a);
	return 0;
}
