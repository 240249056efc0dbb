#ifndef BASE_URL_H
#define BASE_URL_H

/*
 * Checks URLs that other people write.  A URL that passes is safe in a link: it leads to a web server, not to
 * `javascript:`, and it ends neither an attribute nor a header.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/*
 * The URL begins with http:// or https:// in lower case, may have a user, but none without a name, and has a
 * host.  It has no blank, no control byte and none of "<>\`, and its host has none of ^{|}.  Bytes from 0x80
 * on pass.
 */
bool url_is_web(struct slice);

/*
 * The URL begins with a scheme that a browser runs or opens on its own host: javascript, data, vbscript or
 * file, in upper or lower case, also after blanks.
 */
bool url_is_harmful(struct slice url);

/* The same as url_is_web(), but only https:// passes. */
bool url_is_https(struct slice);

/*
 * These three take a URL that has passed url_is_web(), and return a part of it: USER:PASSWORD, which can be
 * empty; HOST:PORT, or HOST alone; and HOST.
 */
struct slice url_user(struct slice url);
struct slice url_host_port(struct slice url);
struct slice url_host(struct slice url);

/*
 * Writes a part of a URL that a client has sent, as a header and the brackets of Link may hold it.  It
 * escapes blanks, all that is not printable ASCII, and <>"\.
 */
void url_put_visible(struct buf *, struct slice);

/* Any URL as messages show it: without user, query and fragment, which may hold secrets. */
const char *url_shown(struct arena *, const char *url);

/* The path of a URL that has passed url_is_web(), from its first slash to the end; "": it has none. */
const char *url_path(const char *url);

#endif
