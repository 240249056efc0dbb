/* Request headers: an ETag, a newline, the header. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "http/accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	char *text = arena_strndup(a, (const char *)p, n), *header = strchr(text, '\n');
	struct accept_etags etags;

	if (header != NULL)
		*header++ = '\0';
	accept_etags(a, header, &etags);
	assert(etags.n <= ACCEPT_ETAGS_MAX && (header != NULL || (etags.n == 0 && !etags.any)));
	for (size_t i = 0; i < etags.n; i++) {
		assert(strchr(etags.v[i], '"') == NULL && accept_has_etag(a, header, etags.v[i]));
		assert(strstr(header, etags.v[i]) != NULL);
	}
	assert(!accept_has_etag(a, header, text) || etags.any || strstr(header, text) != NULL);
	(void)accept_gzip(header);
	(void)accept_html(header);
	arena_free(a);
	return 0;
}
