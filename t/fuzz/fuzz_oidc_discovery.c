#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "access/oidc_discovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What issuers with and without a path say about themselves. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct {
		const char *issuer, *host;
	} issuers[] = { { "https://ci.example", "https://ci.example" },
		{ "https://ci.example:8443/a/b", "https://ci.example:8443" } };
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(issuers) / sizeof(*issuers); i++) {
		const char *host = issuers[i].host, *url = NULL;
		struct err err = { 0 };

		if (oidc_discovery_parse(a, slice_of((const char *)p, n), issuers[i].issuer, &url, &err) == 0) {
			assert(strncmp(url, host, strlen(host)) == 0);
			assert(url[strlen(host)] == '/' || url[strlen(host)] == '\0');
		} else {
			assert(err.status == 400);
		}
	}
	arena_free(a);
	return 0;
}
