#ifndef API_WEB_FEED_H
#define API_WEB_FEED_H

/*
 * Atom feeds (RFC 4287) of what is published and yanked in a project, and of one crate.  Whoever may read
 * the page may read its feed: a browser by its session, a program by the token that it sends to the API.
 */

#include "call/call.h"

extern const struct route_policy feed_policy;

/* GET /-/projects/PATH/-/feed.atom.  200, 304; -1: 404, 503. */
int feed_project(struct call *, struct request *, struct response *);

/* GET /-/projects/PATH/-/crates/NAME/feed.atom.  200, 304; -1: 404 also for no such crate, 503. */
int feed_crate(struct call *, struct request *, struct response *);

#endif
