#include "base/url.h"

#include <string.h>

/* Bytes of paths and queries that people leave as they are, and browsers take, but no host has. */
#define NOT_IN_HOSTS "^{|}"

static bool
has_host(struct slice rest)
{
	size_t n = 0, from = 0;

	for (; n < rest.n && strchr("/?#", rest.p[n]) == NULL; n++) {
		if (strchr(NOT_IN_HOSTS, rest.p[n]) != NULL)
			return false;
		if (rest.p[n] == '@')
			from = n + 1;
	}
	return from < n && rest.p[from] != ':';
}

static bool
is_after(const char *scheme, struct slice url)
{
	size_t n = strlen(scheme);

	if (!slice_has_prefix(url, scheme) || !has_host(slice_of(url.p + n, url.n - n)))
		return false;
	for (size_t i = 0; i < url.n; i++) {
		unsigned char c = (unsigned char)url.p[i];

		if (c <= ' ' || c == 0x7f || strchr("\"<>\\`", c) != NULL)
			return false;
	}
	return true;
}

bool
url_is_https(struct slice url)
{
	return is_after("https://", url);
}

bool
url_is_web(struct slice url)
{
	return is_after("http://", url) || url_is_https(url);
}

bool
url_is_harmful(struct slice url)
{
	static const char *const schemes[] = { "javascript:", "data:", "vbscript:", "file:" };
	size_t from = 0;

	while (from < url.n && url.p[from] == ' ')
		from++;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (url.n - from >= n && strncasecmp(url.p + from, schemes[i], n) == 0)
			return true;
	}
	return false;
}
