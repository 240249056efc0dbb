#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

/* What a client accepts and what it has already: Accept-Encoding, If-None-Match (RFC 9110). */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* Ends the ETag of a file that the database has compressed and that goes out expanded. */
#define ACCEPT_ETAG_PLAIN "-plain"

/* May the answer be compressed by gzip?  NULL (no header) is no.  RFC 9110, 12.5.3. */
bool accept_gzip(const char *accept_encoding);

/*
 * The ETags of an If-None-Match for a weak comparison: without `W/`, quotes and
 * ACCEPT_ETAG_PLAIN.  Skips ETags with bytes outside visible ASCII: none of
 * ours has any.  Returns how many, at most max.  RFC 9110, 13.1.2.
 */
size_t accept_etags(struct arena *, const char *if_none_match, const char **out, size_t max);

/* Is it `*`: whatever there is? */
bool accept_etag_any(const char *if_none_match);

#endif
