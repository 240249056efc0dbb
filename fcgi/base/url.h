#ifndef BASE_URL_H
#define BASE_URL_H

/*
 * The check of each URL that comes in, whoever sends it.  What passes can be put into a link: it leads
 * to a web server, not to `javascript:`, and it ends neither an attribute nor a header.
 */

#include <stdbool.h>

#include "base/slice.h"

/*
 * http:// or https:// in lower case, a host, before which a user may stand, and no blanks, control bytes or
 * any of "<>\^`{|}.  Bytes from 0x80 on pass.
 */
bool url_is_web(struct slice);

/* The same, https:// alone. */
bool url_is_https(struct slice);

#endif
