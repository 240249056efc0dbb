#ifndef API_CARGO_CRATE_ABOUT_H
#define API_CARGO_CRATE_ABOUT_H

/*
 * A crate and its versions as the public registry's API shows them.  Tools other than cargo ask here for a
 * crate's homepage, source, versions and checksums.
 */

#include "call/call.h"

extern const struct route_policy crate_about_policy;

/* False for a crate called `new`: clients publish at this path, and nginx asks there whether they may. */
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
