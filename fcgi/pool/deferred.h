#ifndef POOL_DEFERRED_H
#define POOL_DEFERRED_H

/*
 * The requests that a worker has put off, oldest first.  Each needs something that other requests hold for
 * now (request_defer() of http/request.h), and keeps its connection.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/request.h"

struct fcgi_conn;

enum { DEFERRED_MAX = 128 };

struct deferred {
	struct fcgi_conn *conn; /* owned; its parameters were read, and nothing was answered */
	int64_t since_us; /* of clock_us(): when nginx sent the request */
	char awaits[REQUEST_AWAITS_SIZE]; /* request_defer() */
};

struct deferred_list {
	struct deferred items[DEFERRED_MAX];
	size_t n;
};

bool deferred_is_full(const struct deferred_list *);

/* Closes those whose client has gone, so that there is room for others. */
void deferred_drop_gone(struct deferred_list *);

/* The same, until the client of the oldest one is there. */
void deferred_drop_gone_first(struct deferred_list *);

/* Adds a request behind the others, or, once it was taken, again before them.  The list must have room. */
void deferred_add_last(struct deferred_list *, struct deferred);
void deferred_add_first(struct deferred_list *, struct deferred);

/* Removes the oldest one; there must be one. */
struct deferred deferred_take(struct deferred_list *);

#endif
