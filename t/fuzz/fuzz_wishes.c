/* The file of berth apply.  A table that is read has its names, and no key of another kind. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "admin/provision/wishes.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(struct arena *a, const struct wish *wish)
{
	enum provision_kind kind = wish->thing.kind;

	assert(wish->line > 0 && kind < PROVISION__MAX);
	for (size_t i = 0; i < PROVISION_NAMES_MAX; i++)
		assert((wish->thing.names[i] != NULL) == (provision_name_key(kind, i).name != NULL));
	for (size_t i = 0; i < PROVISION_KEYS_MAX; i++)
		assert(wish->thing.values[i] == NULL || provision_value_key(kind, i).name != NULL);
	assert(strlen(provision_names(a, &wish->thing)) > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct wishes wishes = { .file = "wishes" };
	struct arena *a = arena_new();
	struct err err = { 0 };

	if (wishes_read(a, slice_of((const char *)p, n), &wishes, &err) == 0) {
		for (size_t i = 0; i < wishes.n; i++) {
			check(a, &wishes.all[i]);
			assert(i == 0 || wishes.all[i - 1].thing.kind <= wishes.all[i].thing.kind);
		}
	} else {
		assert(err.status == 409);
	}
	arena_free(a);
	return 0;
}
