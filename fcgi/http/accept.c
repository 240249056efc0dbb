#include "http/accept.h"

#include <stdlib.h>
#include <string.h>

static const char *
skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* The weight in ";q=…" within the element [p, end): 1 where there is none. */
static double
weight_of(const char *p, const char *end)
{
	while (p < end && *p != ';')
		p++;
	if (p == end)
		return 1;
	p = skip_space(p + 1);
	if (end - p < 3 || (*p != 'q' && *p != 'Q') || p[1] != '=')
		return 1;
	return strtod(p + 2, NULL);
}

bool
accept_gzip(const char *header)
{
	bool gzip = false;

	for (const char *p = header; p != NULL && *p != '\0';) {
		const char *end = strchrnul(p, ',');
		const char *name = skip_space(p);
		size_t n = strcspn(name, " \t;,");

		if ((n == 4 && strncasecmp(name, "gzip", n) == 0) ||
		    (n == 6 && strncasecmp(name, "x-gzip", n) == 0))
			return weight_of(name, end) > 0;
		if (n == 1 && *name == '*')
			gzip = weight_of(name, end) > 0;
		p = *end == ',' ? end + 1 : end;
	}
	return gzip;
}

/* None of ours has other bytes, and PostgreSQL would refuse what is not UTF-8. */
static bool
is_visible(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] <= ' ' || p[i] > '~')
			return false;
	}
	return true;
}

static bool
is_any(const char *header)
{
	const char *p = skip_space(header);

	return *p == '*' && *skip_space(p + 1) == '\0';
}

void
accept_etags(struct arena *a, const char *header, struct accept_etags *out)
{
	const size_t suffix = sizeof(ACCEPT_ETAG_PLAIN) - 1;

	*out = (struct accept_etags) { .any = header != NULL && is_any(header) };
	for (const char *p = header; p != NULL && out->n < ACCEPT_ETAGS_MAX;) {
		const char *start = strchr(p, '"');
		const char *end = start != NULL ? strchr(start + 1, '"') : NULL;
		size_t n;

		if (end == NULL)
			break;
		n = (size_t)(end - start) - 1;
		if (n > suffix && memcmp(end - suffix, ACCEPT_ETAG_PLAIN, suffix) == 0)
			n -= suffix;
		if (is_visible(start + 1, n))
			out->v[out->n++] = arena_strndup(a, start + 1, n);
		p = end + 1;
	}
}

bool
accept_has_etag(struct arena *a, const char *header, const char *etag)
{
	struct accept_etags has;

	accept_etags(a, header, &has);
	for (size_t i = 0; i < has.n; i++) {
		if (strcmp(has.v[i], etag) == 0)
			return true;
	}
	return has.any;
}

bool
accept_html(const char *header)
{
	return header != NULL && strcasestr(header, "text/html") != NULL;
}
