#include "tasks/answer_line.h"

#include <stdbool.h>
#include <string.h>

const char *const answer_route_names[ANSWER__ROUTES] = {
	[ANSWER_INDEX] = "index",
	[ANSWER_CONFIG_JSON] = "config_json",
	[ANSWER_DOWNLOAD] = "download",
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

enum answer_route
answer_line_parse(struct slice line)
{
	struct slice path = after(after(line, " path=\""), "/packages/cargo/");
	const char *quote = path.n > 0 ? memchr(path.p, '"', path.n) : NULL;

	if (quote == NULL || quote == path.p)
		return ANSWER__ROUTES;
	path.n = (size_t)(quote - path.p);
	if (slice_is(path, "config.json"))
		return ANSWER_CONFIG_JSON;
	return is_download(path) ? ANSWER_DOWNLOAD : ANSWER_INDEX;
}
