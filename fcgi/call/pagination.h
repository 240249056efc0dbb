#ifndef CALL_PAGINATION_H
#define CALL_PAGINATION_H

/*
 * Lists in pages, as GitLab has them: parameters `page` and `per_page`, headers X-Page, X-Per-Page,
 * X-Total, X-Total-Pages, X-Next-Page, X-Prev-Page and Link (RFC 8288).  A page past the end is
 * empty and no error.  Link is left out if a URL in it would be longer than 2 kB, or if the request has a
 * body, whose parameters no URL has.
 */

#include <stdint.h>

#include "call/app.h"
#include "call/params.h"
#include "http/response.h"

enum {
	PAGINATION_DEFAULT = 20,
	PAGINATION_MAX = 100, /* entries of a page; a request for more gets so many */
	PAGINATION_NUMBER_MAX = 1000000 /* 400 above: nobody turns so many pages */
};

struct pagination {
	int64_t number; /* from 1 */
	int64_t size;
};

/* Both have defaults.  -1: 400. */
int pagination_read(struct params *, struct pagination *) __attribute__((warn_unused_result));

/* How many entries come before the page. */
int64_t pagination_offset(const struct pagination *);

/* Sets the headers of an answer: `total` entries are in all pages together. */
void pagination_headers(const struct worker_app *, struct request *, struct response *,
    const struct pagination *, int64_t total);

/*
 * The same of a list too long to be counted: how many there are in all is left out.  This page has n
 * of them; one that is not full is the last.
 */
void pagination_headers_uncounted(const struct worker_app *, struct request *, struct response *,
    const struct pagination *, size_t n);

#endif
