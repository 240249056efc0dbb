#ifndef API_CARGO_CRATE_ABOUT_H
#define API_CARGO_CRATE_ABOUT_H

/*
 * A crate and its versions as the public registry's API shows them: what tools ask beside cargo, for a
 * crate's homepage and source, its versions and their checksums.
 */

#include "call/call.h"

extern const struct route_policy crate_about_policy;

/* Not a crate called `new`: crates are published at this path, and nginx asks there who may do that. */
bool crate_about_accepts(const struct request *);

/*
 * GET .../crates/NAME?include=: `include` has some of versions, keywords, categories, downloads,
 * default_version, with commas; without it all are there.  Raises 400, 404, 503.
 */
int crate_about_handle(struct call *, struct request *, struct response *);

/* GET .../crates/NAME/versions, in pages that go on after `seek` others.  Raises 400, 404, 503. */
int crate_about_handle_versions(struct call *, struct request *, struct response *);

/* GET .../crates/NAME/VERSION.  Raises 404, 503. */
int crate_about_handle_version(struct call *, struct request *, struct response *);

#endif
