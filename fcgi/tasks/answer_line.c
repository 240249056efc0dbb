#include "tasks/answer_line.h"

#include <stdbool.h>
#include <string.h>

const char *const answer_route_names[ANSWER__ROUTES] = {
	[ANSWER_INDEX] = "index",
	[ANSWER_CONFIG_JSON] = "config_json",
	[ANSWER_DOWNLOAD] = "download",
	[ANSWER_PAGE_CRATE] = "page_crate",
	[ANSWER_PAGE_VERSION] = "page_version",
	[ANSWER_ERROR] = "error",
};

/* The part after the text; empty, with p NULL: the line does not have the text. */
static struct slice
after(struct slice s, const char *text)
{
	size_t n = strlen(text);
	const char *p = s.n > 0 ? memmem(s.p, s.n, text, n) : NULL;

	return p == NULL ? (struct slice) { NULL, 0 } : slice_of(p + n, s.n - (size_t)(p + n - s.p));
}

/* CRATE/VERSION/download; do/wn/download is the index file of a crate. */
static bool
is_download(struct slice path)
{
	static const char end[] = "/download";
	const char *slash = path.n > 0 ? memchr(path.p, '/', path.n) : NULL;
	struct slice version;

	if (slash == NULL || path.n < sizeof(end) ||
	    memcmp(path.p + path.n - (sizeof(end) - 1), end, sizeof(end) - 1) != 0)
		return false;
	version = slice_of(slash + 1, path.n - (size_t)(slash + 1 - path.p));
	return version.n >= sizeof(end) && version.p[0] >= '0' && version.p[0] <= '9' &&
	    memchr(version.p, '.', version.n - (sizeof(end) - 1)) != NULL;
}

/* path: below the registry. */
static enum answer_route
route_of_registry(struct slice path)
{
	if (slice_is(path, "config.json"))
		return ANSWER_CONFIG_JSON;
	return is_download(path) ? ANSWER_DOWNLOAD : ANSWER_INDEX;
}

/* path: CRATE or CRATE/VERSION. */
static enum answer_route
route_of_page(struct slice path)
{
	return memchr(path.p, '/', path.n) == NULL ? ANSWER_PAGE_CRATE : ANSWER_PAGE_VERSION;
}

enum answer_route
answer_line_parse(struct slice line)
{
	static const char error[] = "\" status=5";
	static const struct {
		const char *before;
		enum answer_route (*route_of)(struct slice);
	} parts[] = { { "/packages/cargo/", route_of_registry }, { "/-/crates/", route_of_page } };
	struct slice path = after(line, " path=\"");
	const char *quote = path.n > 0 ? memchr(path.p, '"', path.n) : NULL;

	if (quote != NULL && path.n - (size_t)(quote - path.p) >= sizeof(error) - 1 &&
	    memcmp(quote, error, sizeof(error) - 1) == 0)
		return ANSWER_ERROR;
	path.n = quote != NULL ? (size_t)(quote - path.p) : 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		struct slice rest = after(path, parts[i].before);

		if (rest.n > 0)
			return parts[i].route_of(rest);
	}
	return ANSWER__ROUTES;
}
