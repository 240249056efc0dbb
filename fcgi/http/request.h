#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

/*
 * One HTTP request, as nginx handed it over: method, the path in ONE form,
 * query, headers, a body that is read as a stream.
 *
 * The path is taken from REQUEST_URI, which nginx passes undecoded, is split
 * at '/', and each segment is percent-decoded once.  `+` stays a plus.
 * Refused with 400: a segment that is empty or decodes to `.` or `..`, bytes
 * below 0x20, 0x7f, a backslash, a raw `#`, a raw byte from 0x80 up, what decodes to anything but UTF-8, and
 * an encoded slash (which is let through in the one segment that the router declares to be a
 * path, `:id`).  Encoded characters outside ASCII, and more segments than REQUEST_SEGMENTS_MAX, are only for
 * the rest of a path that a route takes whatever it is: the router refuses them elsewhere.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	REQUEST_PATH_MAX = 4096, /* bytes of the raw path: 414 above */
	REQUEST_SEGMENTS_MAX = 24, /* of a route, but for the rest of a path */
	REQUEST_PARAMS_MAX = 6, /* segments that a route names */
	REQUEST_AWAITS_SIZE = 80, /* with the NUL */
	REQUEST_QUERY_MAX = 8192, /* 414 above */
	REQUEST_ID_SIZE = 49 /* with the NUL: beside a program's name it fits into application_name of PostgreSQL */
};

enum method {
	METHOD_GET = 1 << 0,
	METHOD_HEAD = 1 << 1,
	METHOD_PUT = 1 << 2,
	METHOD_POST = 1 << 3,
	METHOD_DELETE = 1 << 4,
	METHOD_PATCH = 1 << 5,
	METHOD_OPTIONS = 1 << 6,
	METHOD_OTHER = 1 << 7
};

struct segment {
	struct slice text; /* decoded */
	bool slash; /* it held an encoded slash */
};

struct param {
	struct slice name;
	struct slice value;
};

struct fcgi_conn; /* http/fcgi.h */
struct route; /* http/router.h */

struct request {
	struct arena *arena;
	struct fcgi_conn *conn;
	/* nginx's, 32 hexadecimal digits, or a balancer's: letters, digits, `.`, `_`, `-`; else our own */
	char id[REQUEST_ID_SIZE];
	enum method method;
	struct slice raw_path; /* undecoded, without the query */
	struct segment *segments;
	size_t nsegments;
	size_t nplain; /* those before the first with a character outside ASCII; REQUEST_SEGMENTS_MAX at most */
	bool trailing_slash;
	struct slice query; /* undecoded */
	int64_t content_length; /* -1: none given */
	int64_t body_read; /* bytes of the body so far */
	bool body_ended;
	/* these two are borrowed from the connection, until the request is finished */
	const char *authorization; /* NULL: none */
	const char *remote_addr; /* as nginx saw it; "" where unknown */
	int64_t waited_us; /* the wait for a worker, by nginx's BERTH_SENT; 0 without it */
	int64_t deadline_us; /* of clock_us(); no wait of this request goes past it */
	bool ending; /* the worker was told to end before it took this request: do not wait long */
	bool may_defer; /* the worker has room for it */
	bool is_again; /* it was deferred before: do not count again what that time has counted */
	bool is_behind; /* the worker has deferred older requests: let them go first */
	bool deferred; /* request_defer() */
	char awaits[REQUEST_AWAITS_SIZE];
	/* set by the router */
	const struct route *route;
	const char *allow; /* the methods that the path takes, where it is none of them; else NULL */
	struct param params[REQUEST_PARAMS_MAX];
	size_t nparams;
	/* for the log line */
	int64_t started_us;
	int64_t db_us;
	char actor[64]; /* "user:3/token:7"; "" while unknown */
	struct err err;
};

/*
 * Fills the request from the connection; it has `timeout` seconds
 * from the time at which nginx sent it.  -1: rq->err is 400 or 414; id, raw_path and the segments are
 * set all the same, so that the answer can have the right format.
 */
int request_read(struct request *, struct arena *, struct fcgi_conn *, int64_t timeout)
    __attribute__((warn_unused_result));

/*
 * Can the path of an address have this text, with escapes?  request_read() refuses `.`, `..`, empty names
 * between slashes, backslashes, control bytes, and what is not UTF-8.
 */
bool request_takes_path(struct slice);

/* Does request_read() take this path, which begins with a slash and has its escapes? */
bool request_takes_raw_path(struct arena *, struct slice);

/* "GET"; "other" for METHOD_OTHER. */
const char *request_method_name(enum method);

/* A header of the request by its FastCGI name, "HTTP_IF_NONE_MATCH"; NULL where absent or empty. */
const char *request_header(const struct request *, const char *fcgi_name);

/*
 * How often the header was sent, also empty.  nginx before 1.23 passes each one; later ones pass one
 * value with `, ` between.
 */
size_t request_header_count(const struct request *, const char *fcgi_name);

/*
 * Is this a subrequest of nginx, by auth_request, before it reads the body?  It has a parameter that no
 * client can send; everything else is as in the request that waits.
 */
bool request_is_subrequest(const struct request *);

/*
 * nginx sends such a subrequest to the read workers, which never wait, and after their 503 once more to the
 * write workers.  Is this the first subrequest, and is it the last? (Neither: a configuration that sends
 * one.)
 */
bool request_asks_first(const struct request *);
bool request_asks_last(const struct request *);

/*
 * For a handler that has changed nothing, and needs what other requests hold.  If the worker can keep the
 * request (may_defer), it serves others in the meantime, and later this one again from the start, so access
 * is decided anew.  rq->err, which the caller has set, is the answer if the client waits in vain.  awaits:
 * what the request needs, for resumes() of pool/pool.h; shorter than REQUEST_AWAITS_SIZE.  Returns -1.
 */
int request_defer(struct request *, const char *awaits);

/* A path parameter by the name that the route gives it; asserts that the route has it. */
struct slice request_param(const struct request *, const char *name);

/* Has the route's pattern that parameter? */
bool request_has_param(const struct request *, const char *name);

/*
 * Of a text in the form of a query (application/x-www-form-urlencoded): the value of that name
 * after so many of the same name, decoded (`+` is a space).  *out is NULL where there is none.
 * -1: 400 for a bad escape, NUL or invalid UTF-8.
 */
int request_form(struct request *, struct slice form, const char *name, size_t skip,
    const char **out) __attribute__((warn_unused_result));

/* The first query parameter of that name, as request_form() finds it. */
int request_query(struct request *, const char *name, const char **out)
    __attribute__((warn_unused_result));

/*
 * Reads up to n bytes of the body.  *got is 0 at its end.  -1: 400 where the
 * body is shorter or longer than Content-Length (none given: no body).
 */
int request_body_read(struct request *, void *, size_t n, size_t *got)
    __attribute__((warn_unused_result));

/*
 * Reads the rest of the body and throws it away, until the deadline.  Call it before an early answer,
 * because nginx reads no answer while it still sends.
 */
void request_body_drain(struct request *);

#endif
