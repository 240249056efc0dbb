#ifndef NET_HTTPS_GET_H
#define NET_HTTPS_GET_H

/*
 * Outbound HTTP (with https_peer.h, all of it but net/s3.h): one GET over https to an address from the
 * configuration or from an administrator, never from a request.  It follows no redirect unless the caller
 * asks for it, uses only the proxy that the caller names, and no environment variable, cookie, password
 * file or cache.  It tries nothing twice.  Time and size are bounded.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	HTTPS_GET_TIMEOUT_MS = 5000, /* of everything: name, connection, answer */
	HTTPS_GET_BODY_MAX = 256 * 1024,
	HTTPS_GET_REDIRECTS_MAX = 5,
	HTTPS_GET_HEADERS_MAX = 4
};

/* Connections that stay open for the next GET; of one process. */
struct https_connections;

struct https_get {
	const char *url; /* https://..., or http://... if it is `plain` */
	bool plain; /* TLS is not needed, such as on this host */
	const char *ca_file; /* PEM, besides those that the machine trusts; "" for none */
	/*
	 * http[s]://[user:password@]host:port of a proxy; "" for none.  It gets CONNECT, and sees the name of
	 * the host and no more.
	 */
	const char *proxy;
	const char *proxy_except; /* base/hosts.h: what is reached without it */
	/* "Name: value", up to a NULL; they may hold secrets, which are cleansed afterwards */
	const char *headers[HTTPS_GET_HEADERS_MAX + 1];
	int64_t deadline_us; /* of clock_us(), where it comes before the time-out; 0: none */
	int64_t timeout_ms; /* 0: HTTPS_GET_TIMEOUT_MS, which always limits the connecting */
	size_t body_max; /* of the body of a 200 in memory; 0: HTTPS_GET_BODY_MAX, as of any other answer */
	bool redirects; /* follows them; only the first host gets Authorization; https never becomes http */
	struct https_connections *connections; /* NULL: a new one, for this GET alone */
	/*
	 * Takes the body of a 200 piece by piece, for bodies of any size.  -1, with err set, ends the
	 * transfer.  NULL: the body goes to memory.
	 */
	int (*take)(void *arg, struct slice piece, struct err *);
	void *arg;
};

struct https_answer {
	long status;
	struct slice body; /* if the status is not 200, perhaps only its beginning */
	int64_t retry_after; /* seconds, of the header of that name; 0: there is none */
	/* for messages: "GET URL" or, if another host has answered, "GET URL, redirected to HOST:PORT" */
	const char *shown;
	bool is_elsewhere; /* another host has answered */
};

/* Makes an empty set of connections; the arena closes them. */
struct https_connections *https_connections_new(struct arena *);

/*
 * Makes the GET. 0: there is an answer, of any status.  -1: `detail` says what went wrong, without any
 * header, password or query, and whether the proxy caused it; 502 the answer is too large; 503 the address is
 * not https, there is no connection, the certificate is not trusted, or the time is over; or the error of
 * `take`.
 */
int https_get(struct arena *, const struct https_get *, struct https_answer *, struct err *)
    __attribute__((warn_unused_result));

#endif
