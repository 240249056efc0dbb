#ifndef BASE_URL_H
#define BASE_URL_H

/*
 * Checks each URL that comes in, from anybody.  A URL that passes is safe in a link: it leads
 * to a web server, not to `javascript:`, and it ends neither an attribute nor a header.
 */

#include <stdbool.h>

#include "base/slice.h"

/*
 * http:// or https:// in lower case, optionally a user, a host, and no blanks, control bytes or
 * any of "<>\`, and in the host none of ^{|}.  Bytes from 0x80 on pass.
 */
bool url_is_web(struct slice);

/*
 * Does it begin with a scheme that a browser runs or opens on its own host: javascript, data, vbscript,
 * file, in any case and behind blanks?
 */
bool url_is_harmful(struct slice url);

/* As url_is_web(), https:// alone. */
bool url_is_https(struct slice);

/* Of a URL that is one of those: USER:PASSWORD before the host, or nothing; host and port; the host. */
struct slice url_user(struct slice url);
struct slice url_host_port(struct slice url);
struct slice url_host(struct slice url);

/* The path of a URL for which url_is_web() is true, from its first slash to the end; "": it has none. */
const char *url_path(const char *url);

#endif
