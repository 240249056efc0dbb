#include "base/url.h"

#include <string.h>

/* Bytes of paths and queries that people leave as they are, and browsers take, but no host has. */
#define NOT_IN_HOSTS "^{|}"

static bool
has_host(struct slice rest)
{
	size_t n = 0, from = 0;

	/* a user without a name is none, so nobody who refuses users would see it */
	if (rest.n > 0 && rest.p[0] == '@')
		return false;
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

const char *
url_path(const char *url)
{
	const char *host = strstr(url, "://") + strlen("://");

	return host + strcspn(host, "/");
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

/* Between the scheme and the path. */
static struct slice
authority(struct slice url)
{
	const char *p = memchr(url.p, '/', url.n);
	size_t skip = p != NULL ? (size_t)(p - url.p) + 2 : url.n;
	struct slice s = skip < url.n ? slice_of(url.p + skip, url.n - skip) : slice_of("", 0);
	size_t n = 0;

	while (n < s.n && strchr("/?#", s.p[n]) == NULL)
		n++;
	return slice_of(s.p, n);
}

struct slice
url_user(struct slice url)
{
	struct slice s = authority(url);
	const char *at = memrchr(s.p, '@', s.n);

	return slice_of(s.p, at != NULL ? (size_t)(at - s.p) : 0);
}

struct slice
url_host_port(struct slice url)
{
	struct slice s = authority(url);
	size_t n = url_user(url).n;

	if (n < s.n && s.p[n] == '@')
		n++;
	return slice_of(s.p + n, s.n - n);
}

struct slice
url_host(struct slice url)
{
	struct slice s = url_host_port(url);
	const char *end = s.n > 0 && s.p[0] == '[' ? memchr(s.p, ']', s.n) : NULL;
	size_t n = end != NULL ? (size_t)(end - s.p) + 1 : 0;

	while (end == NULL && n < s.n && s.p[n] != ':')
		n++;
	return slice_of(s.p, n);
}

const char *
url_shown(struct arena *a, const char *url)
{
	const char *host = url_host_port(slice_str(url)).p;
	int scheme = (int)(strcspn(url, "/") + 2);

	return arena_printf(a, "%.*s%.*s", scheme, url, (int)strcspn(host, "?#"), host);
}

void
url_put_visible(struct buf *b, struct slice part)
{
	for (size_t i = 0; i < part.n; i++) {
		unsigned char c = (unsigned char)part.p[i];

		if (c <= 0x20 || c >= 0x7f || strchr("<>\"\\", c) != NULL)
			buf_printf(b, "%%%02X", c);
		else
			buf_putc(b, (char)c);
	}
}
