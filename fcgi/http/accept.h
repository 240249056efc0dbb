#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

/* The request headers Accept, Accept-Encoding and If-None-Match (RFC 9110). */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* The end of the ETag of an answer that the database has compressed and that is sent expanded. */
#define ACCEPT_ETAG_PLAIN "-plain"

/* May the answer be compressed by gzip?  NULL (no header) is no.  RFC 9110, 12.5.3. */
bool accept_gzip(const char *accept_encoding);

/* Does the client name text/html, as browsers do when they show a page?  NULL (no header) is no. */
bool accept_html(const char *accept);

enum { ACCEPT_ETAGS_MAX = 16 }; /* more than any client sends; the rest is ignored */

/* An If-None-Match. */
struct accept_etags {
	bool any; /* `*`: whatever there is */
	/*
	 * For a weak comparison: without `W/`, quotes and ACCEPT_ETAG_PLAIN.  ETags with bytes outside
	 * visible ASCII are left out: none of ours has any.
	 */
	const char *v[ACCEPT_ETAGS_MAX];
	size_t n;
};

/* NULL: there is no such header.  RFC 9110, 13.1.2. */
void accept_etags(struct arena *, const char *if_none_match, struct accept_etags *);

/* Does the header have this ETag, which is given without quotes?  RFC 9110, 13.1.2. */
bool accept_has_etag(struct arena *, const char *if_none_match, const char *etag);

#endif
