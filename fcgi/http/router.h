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
	/* 0: it only reads; else the kind of write, for the application's limits (auth/rate_limit.h) */
	int writes;
	/* what it reads after the decision may come from a replica of the database (call/replica.h) */
	bool replica;
	/* NULL, or a further condition on the parameters */
	bool (*accept)(const struct request *);
	/*
	 * the pattern also matches longer paths, with or without a slash at the end: `accept` checks the
	 * rest
	 */
	bool goes_on;
	int (*handle)(struct call *, struct request *, struct response *);
};

/* A prefix pattern and the format of errors below it, for paths that match no route. */
struct route_error_format {
	const char *pattern; /* as of a route; matches any path that begins with it */
	enum error_format error_format;
	const char *missing; /* the text of the 404 after "Not Found - "; NULL: none */
};

struct router {
	const struct route *routes;
	size_t nroutes;
	const struct route_error_format *error_formats; /* the first match counts; ERROR_FORMAT_TEXT else */
	size_t nerror_formats;
};

/*
 * Finds the route, sets rq->route and its parameters.  If a route has the path but none has the method,
 * rq->route is the first route of the path, and rq->allow lists the methods; the caller then calls
 * router_refuse_method() for clients that may know of the path.  -1: 404, 400 for an encoded slash outside
 * a `%` segment, or for a character outside ASCII.
 */
int router_match(const struct router *, struct request *) __attribute__((warn_unused_result));

/*
 * Returns -1 with 405; or with 404 where the error format of the path names what is missing, since this
 * server lacks a function that another one has at that method.  DELETE always gets 405: a 404 would mean
 * that the object is gone.
 */
int router_refuse_method(const struct router *, struct request *);

/*
 * The format in which an error of this path is answered, matched or not; to nginx's
 * subrequests always ERROR_FORMAT_SUBREQUEST.
 */
enum error_format router_error_format(const struct router *, const struct request *);

#endif
