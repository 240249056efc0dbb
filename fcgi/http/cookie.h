#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

/* Cookies of a request (RFC 6265 section 4.2.1): "a=1; b=2". */

#include "base/slice.h"

/* The value of that cookie; empty where the header, which may be NULL, has none, or several. */
struct slice cookie_find(const char *header, const char *name);

#endif
