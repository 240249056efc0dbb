#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

/*
 * One HTTP response, built whole before its first byte is sent, so that an
 * error can always become a clean answer.  The only place where a struct err
 * becomes HTTP.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct request;

/* The format of a route's errors (berth-api(7), Errors). */
enum error_format {
	ERROR_FORMAT_TEXT, /* one sentence, text/plain: index and download */
	ERROR_FORMAT_CARGO, /* {"errors":[{"detail":"..."}]}: everything under api/v1/ */
	ERROR_FORMAT_GITLAB, /* {"message":"404 Project Not Found"}: the management API */
	/*
	 * To nginx, which asks by subrequest whether a caller may upload, and understands only 401 and 403.
	 * Two headers have what the client gets: X-Berth-Status and X-Berth-Refusal, a body of
	 * ERROR_FORMAT_CARGO.
	 */
	ERROR_FORMAT_SUBREQUEST
};

enum {
	RESPONSE_HEADERS_MAX = 24,
	/*
	 * The largest body.  nginx takes this much from a worker even if its client is slow: it is at most
	 * fastcgi_max_temp_file_size of conf/nginx/berth-fastcgi.conf.
	 */
	RESPONSE_BODY_MAX = 272 << 20
};

struct response {
	struct arena *arena;
	int status;
	struct {
		const char *name;
		const char *value;
	} headers[RESPONSE_HEADERS_MAX];
	size_t nheaders;
	struct slice body; /* borrowed; must outlive response_send */
	size_t length; /* of an answer to HEAD without a body; 0: that of the body */
	/* "Cargo login_url=..." of a 401; set once per request by the application */
	const char *www_authenticate;
};

void response_init(struct response *, struct arena *);

/*
 * Adds a header.  Name and value are asserted to be free of control bytes:
 * what a client chose must have been checked before it comes here.
 */
void response_header(struct response *, const char *name, const char *value);

/* 200 with a body. */
void response_body(struct response *, int status, const char *content_type, struct slice body);

/* Sets 200 for a HEAD request: the length of a body that was not made. */
void response_head(struct response *, const char *content_type, size_t length);

/*
 * Replaces everything by the error: status, format, sentence.  Adds
 * WWW-Authenticate to 401, Retry-After to 429 and 503 (the error's, or what is usual),
 * Allow to 405 (from `allow`, may be NULL), and Cache-Control: no-store.  The body has at most 512
 * characters: a longer sentence is cut and ends with an ellipsis.
 */
void response_error(struct response *, enum error_format, const struct err *, const char *allow);

/* Gives an error another body, and its type; all else of it stays. */
void response_error_body(struct response *, const char *content_type, struct slice body);

/*
 * Sends status, headers and (unless HEAD) body, with X-Request-Id and
 * X-Served-By.  Returns the number of body bytes, or -1 where nginx has gone.
 */
long long response_send(struct response *, struct request *);

#endif
