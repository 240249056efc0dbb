#ifndef API_WEB_WAY_BACK_H
#define API_WEB_WAY_BACK_H

/*
 * The sign-in leads visitors back to the page that they came from.  Links and forms carry the address of that
 * page in the parameter `to`: an address of this registry below external_url, from /-/ on, with its query.
 */

#include "call/params.h"

/* The address of this request.  NULL if it is no page that one can read again, or has too long an address. */
const char *way_back_here(const struct request *);

/*
 * Reads the parameter.  *to is NULL if there is none, or if it could lead anywhere but to a path below /-/ of
 * this registry.  It is fit for a header.  -1: 400 it is no text.
 */
int way_back_read(struct params *, const char **to) __attribute__((warn_unused_result));

#endif
