#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "access/signed_download.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The file of the key: a key as nginx can take it, or none and an error. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct signed_download_key key;
	struct err err = { 0 };

	if (signed_download_parse_key(slice_of((const char *)p, n), &key, &err) == 0) {
		size_t length = strlen(key.text);

		assert(length >= SIGNED_DOWNLOAD_KEY_MIN && length <= SIGNED_DOWNLOAD_KEY_MAX);
		assert(strpbrk(key.text, "\"\\$;{} \n") == NULL);
	} else {
		assert(key.text[0] == '\0' && err.status == 500);
	}
	return 0;
}
