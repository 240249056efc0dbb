#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/cidr.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* An address, and after a newline a list. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	const uint8_t *end = memchr(p, '\n', n);
	size_t first = end != NULL ? (size_t)(end - p) : n;
	const char *address = arena_strndup(a, (const char *)p, first);
	const char *list =
	    end != NULL ? arena_strndup(a, (const char *)end + 1, n - first - 1) : "";
	bool is_address = cidr_list_has("0.0.0.0/0 ::/0", address);

	/* what is in a network is an address, and in the one that has all */
	if (cidr_list_has(list, address))
		assert(is_address);
	/* an address is the network of itself */
	if (is_address)
		assert(cidr_list_valid(address) && cidr_list_has(address, address));
	(void)cidr_list_valid(list);
	arena_free(a);
	return 0;
}
