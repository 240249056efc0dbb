#include "crate/registry_url.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/excerpt.h"
#include "base/hex.h"
#include "base/scan.h"
#include "base/slice.h"
#include "crate/registry_config.h"

/* cargo takes each of them, with a slash at the end or without, for crates-io. */
const char *const registry_public_urls[] = {
	REGISTRY_PUBLIC_URL,
	REGISTRY_PUBLIC_URL "/",
	REGISTRY_PUBLIC_URL ".git",
	REGISTRY_PUBLIC_URL ".git/",
	REGISTRY_PUBLIC_SPARSE,
	"sparse+https://index.crates.io",
};
const size_t registry_npublic_urls = sizeof(registry_public_urls) / sizeof(*registry_public_urls);

/* A URL, taken apart.  What is before an `@` names nobody's index. */
struct address {
	bool sparse;
	struct slice scheme, host;
	unsigned port;
	struct slice path; /* with query and fragment, if there are any */
};

enum { PORT_MAX = 65535 };

static bool
equals_folded(struct slice a, struct slice b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static struct slice
take_until(struct slice *in, const char *set)
{
	size_t n = 0;

	while (n < in->n && strchr(set, in->p[n]) == NULL)
		n++;
	*in = slice_of(in->p + n, in->n - n);
	return slice_of(in->p - n, n);
}

/* The port of an authority, of which it is cut off; without one that of the scheme. */
static bool
cut_port(struct slice *host, struct slice scheme, unsigned *port)
{
	size_t n = host->n;

	*port = equals_folded(scheme, slice_str("http")) ? 80 : 443;
	while (n > 0 && scan_is_digit(host->p[n - 1]))
		n--;
	if (n == 0 || host->p[n - 1] != ':')
		return true;
	for (size_t i = n; i < host->n; i++) {
		*port = (i == n ? 0 : *port * 10) + (unsigned)(host->p[i] - '0');
		if (*port > PORT_MAX)
			return false;
	}
	host->n = n - 1;
	return true;
}

static bool
address_read(const char *url, struct address *a)
{
	struct slice in = slice_str(url);
	const char *at;

	a->sparse = strncasecmp(url, "sparse+", 7) == 0;
	if (a->sparse)
		scan_skip(&in, 7);
	a->scheme = take_until(&in, ":/");
	if (!slice_has_prefix(in, "://"))
		return false;
	scan_skip(&in, 3);
	a->host = take_until(&in, "/?#");
	a->path = in;
	at = memrchr(a->host.p, '@', a->host.n);
	if (at != NULL)
		a->host = slice_of(at + 1, (size_t)(a->host.p + a->host.n - at - 1));
	return cut_port(&a->host, a->scheme, &a->port);
}

static bool
same_server(const struct address *a, const struct address *b)
{
	return equals_folded(a->scheme, b->scheme) && equals_folded(a->host, b->host) &&
	    a->port == b->port;
}

/* Is it a spelling of the table, whatever the case and the port that the scheme has anyway? */
static bool
is_public(const struct address *a)
{
	for (size_t i = 0; i < registry_npublic_urls; i++) {
		struct address known;

		if (address_read(registry_public_urls[i], &known) && a->sparse == known.sparse &&
		    same_server(a, &known) && equals_folded(a->path, known.path))
			return true;
	}
	return false;
}

/* Takes `/` and what is before the next one, decoded once as the server does.  p NULL: there is none. */
static struct slice
take_segment(struct arena *arena, struct slice *in)
{
	struct slice raw;
	char *text;
	size_t n = 0;

	if (!scan_char(in, '/'))
		return slice_of(NULL, 0);
	raw = take_until(in, "/?#");
	text = arena_alloc(arena, raw.n + 1);
	for (size_t i = 0; i < raw.n; i++) {
		int high = raw.p[i] == '%' && raw.n - i > 2 ? hex_digit(raw.p[i + 1]) : -1;
		int low = high != -1 ? hex_digit(raw.p[i + 2]) : -1;

		text[n++] = low == -1 ? raw.p[i] : (char)(high * 16 + low);
		i += low == -1 ? 0 : 2;
	}
	return slice_of(text, n);
}

/*
 * Reads it as the router does: an id has one spelling, and any other text is a path.  A project's path has
 * a slash.
 */
static bool
read_namespace(struct arena *arena, struct slice text, bool has_slash, int64_t *id, const char **path)
{
	size_t i = 0;

	*id = 0;
	for (; i < text.n && scan_is_digit(text.p[i]) && text.p[0] != '0'; i++) {
		if (__builtin_mul_overflow(*id, 10, id) || __builtin_add_overflow(*id, text.p[i] - '0', id))
			return false;
	}
	if (text.n > 0 && i == text.n)
		return true;
	*id = 0;
	if (text.n == 0 || (has_slash && memchr(text.p, '/', text.n) == NULL) ||
	    memchr(text.p, '\0', text.n) != NULL)
		return false;
	*path = arena_slicedup(arena, text);
	return true;
}

enum { SEGMENTS_MAX = 8 };

/* The paths of indexes, from the first slash to the last.  ":": the project or group. */
static const struct {
	enum registry_kind kind;
	const char *segments[SEGMENTS_MAX];
} indexes[] = {
	{ REGISTRY_HERE, { "api", "v4", "projects", ":", "packages", "cargo", "" } },
	{ REGISTRY_GROUP, { "api", "v4", "groups", ":", "-", "packages", "cargo", "" } },
};

/* The segment that stands for the project or group; p NULL: the path is another. */
static struct slice
match_index(struct arena *arena, struct slice path, const char *const segments[SEGMENTS_MAX])
{
	struct slice place = slice_of(NULL, 0);

	for (size_t i = 0; i < SEGMENTS_MAX && segments[i] != NULL; i++) {
		struct slice segment = take_segment(arena, &path);

		if (segment.p == NULL)
			return segment;
		if (strcmp(segments[i], ":") == 0)
			place = segment;
		else if (!slice_is(segment, segments[i]))
			return slice_of(NULL, 0);
	}
	return path.n == 0 ? place : slice_of(NULL, 0);
}

static bool
read_index(struct arena *arena, struct slice path, struct registry_url *out)
{
	for (size_t i = 0; i < sizeof(indexes) / sizeof(*indexes); i++) {
		bool of_group = indexes[i].kind == REGISTRY_GROUP;
		struct slice place = match_index(arena, path, indexes[i].segments);

		if (place.p == NULL)
			continue;
		out->kind = indexes[i].kind;
		return read_namespace(arena, place, !of_group, of_group ? &out->group_id : &out->project_id,
		    &out->path);
	}
	return false;
}

/* Cuts the path of external_url off; other services of the host have the other paths. */
static bool
cut_path(struct slice *path, struct slice ours)
{
	struct slice rest;

	if (path->n < ours.n || memcmp(path->p, ours.p, ours.n) != 0)
		return false;
	rest = slice_of(path->p + ours.n, path->n - ours.n);
	if (rest.n > 0 && strchr("/?#", rest.p[0]) == NULL)
		return false;
	*path = rest;
	return true;
}

int
registry_url_read(struct arena *arena, const char *server, const char *url,
    struct registry_url *out, struct err *err)
{
	struct address a, here;

	*out = (struct registry_url) { .kind = REGISTRY_ELSEWHERE };
	if (!address_read(url, &a))
		return 0;
	if (is_public(&a)) {
		out->kind = REGISTRY_PUBLIC;
		return 0;
	}
	if (!address_read(server, &here) || !same_server(&a, &here) || !cut_path(&a.path, here.path))
		return 0;
	out->kind = REGISTRY_HERE;
	if (a.sparse && read_index(arena, a.path, out))
		return 0;
	return err_set(err, 400,
	    "`%.*s` names this server, but no index; the index of a project is "
	    "`sparse+%s/api/v4/projects/ID/packages/cargo/`, with the id or the path of the project, as in "
	    "GROUP%%2FPROJECT, and that of a group `sparse+%s/api/v4/groups/ID/-/packages/cargo/`",
	    excerpt(slice_str(url)), url, server, server);
}

const char *
registry_url_index(struct arena *arena, const char *server, int64_t project_id)
{
	return arena_printf(arena, "sparse+%s/", registry_url(arena, server, project_id));
}
