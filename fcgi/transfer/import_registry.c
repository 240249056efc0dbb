#include "transfer/import_registry.h"

#include <string.h>

#include "base/slice.h"
#include "crate/registry_url.h"

/* The URL of an index without its protocol, such as sparse+, and without slashes at its end. */
static struct slice
bare_url(const char *url)
{
	static const char *const protocols[] = { "sparse+", "registry+" };
	struct slice bare = slice_str(url);

	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
		if (slice_has_prefix(bare, protocols[i]))
			bare = slice_str(bare.p + strlen(protocols[i]));
	}
	while (bare.n > 0 && bare.p[bare.n - 1] == '/')
		bare.n--;
	return bare;
}

/* The same, but of the public registry, which has several, always the one of its git index. */
static struct slice
one_url(const char *url)
{
	struct slice bare = bare_url(url);

	for (size_t i = 0; i < registry_npublic_urls; i++) {
		if (slice_equal(bare, bare_url(registry_public_urls[i])))
			return slice_str(REGISTRY_PUBLIC_URL);
	}
	return bare;
}

/* RFC 3986 allows only visible ASCII characters in a URL. */
static bool
is_visible(const char *url)
{
	while (*url > ' ' && *url <= '~')
		url++;
	return *url == '\0';
}

int
import_registry_check(const char *url, struct err *err)
{
	static const char *const schemes[] = { "https://", "http://", "ssh://", "git://", "file://" };
	struct slice bare = bare_url(url);

	if (strlen(url) > IMPORT_REGISTRY_URL_MAX)
		return err_set(err, 400, "--registry-url: the URL has %zu bytes; the limit is %d: give a shorter URL",
		    strlen(url), IMPORT_REGISTRY_URL_MAX);
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		if (slice_has_prefix(bare, schemes[i]) && bare.n > strlen(schemes[i]) && is_visible(url))
			return 0;
	}
	return err_set(err, 400, "--registry-url %s: must be the URL of an index, as crates name it: "
	    "sparse+https://HOST/PATH/, or that of a git index, such as https://HOST/PATH or ssh://HOST/PATH", url);
}

bool
import_registry_is_among(const char *const urls[IMPORT_REGISTRIES_MAX], const char *registry)
{
	for (size_t i = 0; i < IMPORT_REGISTRIES_MAX && urls[i] != NULL; i++) {
		if (slice_equal(one_url(registry), one_url(urls[i])))
			return true;
	}
	return false;
}
