#include "http/router.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"

enum { ALLOW_MAX = 128 };

enum match {
	MATCH_NO,
	MATCH_SLASH, /* it would, but for an encoded slash where none may be */
	MATCH_PREFIX, /* and the path goes on */
	MATCH_YES
};

/* The next segment of a pattern: [*p, end); *p moves past the slash. */
static struct slice
pattern_next(const char **p)
{
	size_t n = strcspn(*p, "/");
	struct slice s = slice_of(*p, n);

	*p += n + ((*p)[n] == '/');
	return s;
}

/*
 * `:name*` against the segments from i on: sets i behind them.  No group or project is named `-`.  `:name+`
 * takes the rest of the path, whatever it is; nothing else takes segments that are not plain.
 */
static enum match
path_match(struct request *rq, struct slice pattern, size_t *i)
{
	bool rest = pattern.p[pattern.n - 1] == '+';
	size_t end = rest ? rq->nsegments : rq->nplain;
	enum match result = MATCH_NO;
	struct buf b;

	buf_init(&b, rq->arena, REQUEST_PATH_MAX);
	for (; *i < end && (rest || !slice_is(rq->segments[*i].text, "-")); ++*i) {
		const struct segment *seg = &rq->segments[*i];

		if (b.n > 0)
			buf_putc(&b, '/');
		buf_put_slice(&b, seg->text);
		result = seg->slash || result == MATCH_SLASH ? MATCH_SLASH : MATCH_YES;
	}
	assert(rq->nparams < REQUEST_PARAMS_MAX);
	rq->params[rq->nparams++] = (struct param) {
		.name = slice_of(pattern.p + 1, pattern.n - 2),
		.value = buf_slice(&b),
	};
	return result;
}

/* `:name` or `:name%` against one segment. */
static enum match
param_match(struct request *rq, struct slice pattern, const struct segment *seg)
{
	bool slashes = pattern.p[pattern.n - 1] == '%';

	assert(rq->nparams < REQUEST_PARAMS_MAX);
	rq->params[rq->nparams++] = (struct param) {
		.name = slice_of(pattern.p + 1, pattern.n - 1 - slashes),
		.value = seg->text,
	};
	return seg->slash && !slashes ? MATCH_SLASH : MATCH_YES;
}

/* One part of a pattern against the segment i, or more of them: sets i behind them. */
static enum match
part_match(struct request *rq, struct slice part, size_t *i)
{
	const struct segment *seg = &rq->segments[*i];

	if (part.p[0] == ':' && (part.p[part.n - 1] == '*' || part.p[part.n - 1] == '+'))
		return path_match(rq, part, i);
	if (*i >= rq->nplain)
		return MATCH_NO;
	++*i;
	if (part.p[0] == ':')
		return param_match(rq, part, seg);
	return slice_equal(part, seg->text) ? MATCH_YES : MATCH_NO;
}

/* A pattern against the path.  Sets the parameters. */
static enum match
pattern_match(struct request *rq, const char *pattern)
{
	bool slash = false;
	size_t i = 0;

	rq->nparams = 0;
	while (*pattern != '\0') {
		struct slice part = pattern_next(&pattern);
		enum match m = i < rq->nsegments ? part_match(rq, part, &i) : MATCH_NO;

		if (m == MATCH_NO)
			return MATCH_NO;
		slash |= m == MATCH_SLASH;
	}
	if (pattern[-1] == '/' && !(i == rq->nsegments && rq->trailing_slash))
		return MATCH_NO;
	if (i < rq->nsegments || rq->trailing_slash != (pattern[-1] == '/'))
		return MATCH_PREFIX;
	return slash ? MATCH_SLASH : MATCH_YES;
}

/* HEAD is GET without the body, so that whoever handles one handles both. */
static unsigned
methods_of(const struct route *route)
{
	return route->methods | (route->methods & METHOD_GET ? (unsigned)METHOD_HEAD : 0u);
}

static const char *
allow_list(struct arena *a, unsigned allowed)
{
	struct buf b;

	buf_init(&b, a, ALLOW_MAX);
	for (unsigned m = METHOD_GET; m < METHOD_OTHER; m <<= 1) {
		if (allowed & m)
			buf_printf(&b, "%s%s", b.n > 0 ? ", " : "", request_method_name(m));
	}
	return buf_str(&b);
}

static bool
is_match(const struct request *rq, const struct route *route, enum match m)
{
	return m == MATCH_YES || (m == MATCH_PREFIX && route->goes_on && rq->nplain == rq->nsegments);
}

/* A question of nginx itself, which has no body, never reaches another route. */
static bool
is_for_subrequests(const struct route *route)
{
	return route->error_format == ERROR_FORMAT_SUBREQUEST;
}

/* Takes the route of the path although it has another method. */
static int
route_anyway(struct request *rq, const struct route *route, unsigned allowed)
{
	enum match again = pattern_match(rq, route->pattern);

	assert(is_match(rq, route, again));
	rq->route = route;
	rq->allow = allow_list(rq->arena, allowed);
	return 0;
}

/* What is said of a path that has no route; NULL: nothing. */
static const struct route_error_format *
find_error_format(const struct router *router, const struct request *rq)
{
	/* matching sets parameters, which a path that has no route must not have */
	struct request probe = *rq;

	for (size_t i = 0; i < router->nerror_formats; i++) {
		if (pattern_match(&probe, router->error_formats[i].pattern) != MATCH_NO)
			return &router->error_formats[i];
	}
	return NULL;
}

/* With what the error format says of it. */
static int
refuse(struct request *rq, int status, const char *what, const char *missing)
{
	return err_set(&rq->err, status, "%s%s%s", what, missing != NULL ? " - " : "",
	    missing != NULL ? missing : "");
}

/* -1: 404. */
static int
refuse_path(const struct router *router, struct request *rq)
{
	const struct route_error_format *found = find_error_format(router, rq);

	return refuse(rq, 404, "Not Found", found != NULL ? found->missing : NULL);
}

int
router_refuse_method(const struct router *router, struct request *rq)
{
	static const unsigned calls = METHOD_GET | METHOD_HEAD | METHOD_POST | METHOD_PUT |
	    METHOD_PATCH;
	const struct route_error_format *found = find_error_format(router, rq);
	const char *missing = found != NULL ? found->missing : NULL;

	if (missing != NULL && (rq->method & calls))
		return refuse(rq, 404, "Not Found", missing);
	return refuse(rq, 405, "Method Not Allowed", missing);
}

int
router_match(const struct router *router, struct request *rq)
{
	const struct route *first = NULL;
	unsigned allowed = 0;
	bool slash = false;

	for (size_t i = 0; i < router->nroutes; i++) {
		const struct route *route = &router->routes[i];
		enum match m = pattern_match(rq, route->pattern);

		slash |= m == MATCH_SLASH;
		if (!is_match(rq, route, m) || is_for_subrequests(route) != request_is_subrequest(rq) ||
		    (route->accept != NULL && !route->accept(rq)))
			continue;
		allowed |= methods_of(route);
		if (methods_of(route) & rq->method) {
			rq->route = route;
			return 0;
		}
		if (first == NULL)
			first = route;
	}
	if (first != NULL)
		return route_anyway(rq, first, allowed);
	rq->nparams = 0;
	if (slash)
		return err_set(&rq->err, 400, "the path holds an encoded slash");
	if (rq->nplain < rq->nsegments && rq->nplain < REQUEST_SEGMENTS_MAX)
		return err_set(&rq->err, 400, "the path holds a character outside ASCII");
	return refuse_path(router, rq);
}

enum error_format
router_error_format(const struct router *router, const struct request *rq)
{
	const struct route_error_format *found;

	/* a 503 as it is lets nginx ask again */
	if (request_is_subrequest(rq))
		return rq->err.status == 503 && request_asks_first(rq) ? ERROR_FORMAT_CARGO : ERROR_FORMAT_SUBREQUEST;
	if (rq->route != NULL)
		return rq->route->error_format;
	found = find_error_format(router, rq);
	return found != NULL ? found->error_format : ERROR_FORMAT_TEXT;
}
