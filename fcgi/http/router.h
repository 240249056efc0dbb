#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

/*
 * Routing as data: a const table of methods, patterns and handlers.  A
 * pattern is segments joined by '/': a literal, `:name` (any one segment),
 * `:name%` (one segment that may hold encoded slashes), `:name*` (one segment or more, up to the end or
 * to one that is `-`), `:name+` (the rest of the path, and the only part that takes characters outside ASCII,
 * or segments past REQUEST_SEGMENTS_MAX).  It ends in a slash if the path must.  The first entry whose
 * pattern and `accept` match the path wins.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/request.h"
#include "http/response.h"

struct route_policy; /* defined by the application */
struct call; /* the request, as far as the application knows it before the handler runs */

enum body_rule {
	BODY_NONE, /* a body is read and thrown away, up to 64 kB; 413 above */
	BODY_PARAMS, /* the handler reads it; up to 64 kB as well */
	BODY_STREAM /* the handler reads it, and bounds it */
};

struct route {
	const char *name; /* in logs and metrics */
	unsigned methods; /* METHOD_* that it answers */
	const char *pattern; /* without a leading slash */
	enum error_format error_format;
	enum body_rule body;
	const struct route_policy *policy; /* the application's: what a caller must be allowed to do */
	/* 0: it only reads; else what it writes, which the application limits (auth/rate_limit.h) */
	int writes;
	/* what it reads after the decision may come from a replica of the database (call/replica.h) */
	bool replica;
	/* NULL, or a further condition on the parameters */
	bool (*accept)(const struct request *);
	/* the pattern matches longer paths as well, also with a slash at the end: `accept` looks at the rest */
	bool goes_on;
	int (*handle)(struct call *, struct request *, struct response *);
};

/* A prefix pattern and the format of errors below it, for paths that match no route. */
struct route_error_format {
	const char *pattern; /* as of a route; matches any path that begins with it */
	enum error_format error_format;
	const char *missing; /* what the 404 says behind "Not Found - "; NULL: nothing */
};

struct router {
	const struct route *routes;
	size_t nroutes;
	const struct route_error_format *error_formats; /* the first match counts; ERROR_FORMAT_TEXT else */
	size_t nerror_formats;
};

/*
 * Finds the route, sets rq->route and its parameters.  Where the path is one but the method is
 * not, that is the first route of the path, and rq->allow lists the methods: router_refuse_method() is for
 * the caller to call, for those who may know as much.  -1: 404, 400 for an encoded slash
 * outside a `%` segment, or for a character outside ASCII.
 */
int router_match(const struct router *, struct request *) __attribute__((warn_unused_result));

/*
 * -1: 405; or 404 where the error format of the path says what is missing, since what another server does
 * by the method is a thing that this one has not.  DELETE gets 405 there as well: 404 would tell that
 * something is gone.
 */
int router_refuse_method(const struct router *, struct request *);

/*
 * The format in which an error of this path is answered, matched or not; to nginx's
 * subrequests always ERROR_FORMAT_SUBREQUEST.
 */
enum error_format router_error_format(const struct router *, const struct request *);

#endif
