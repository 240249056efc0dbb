#ifndef API_WEB_DIFF_PAGE_H
#define API_WEB_DIFF_PAGE_H

/*
 * Pages that compare two versions of a crate, for everybody who may read their source
 * (api/web/source_page.h): first their manifests, with dependencies and features, then their files.  The
 * versions may be yanked.  200; a page with 404 for what is not there or what the viewer may not know of,
 * with 403 for a member who may not read, with 400; 503 while too many crates are open.
 */

#include "call/call.h"

/* GET .../-/crates/:crate/diff/:range, below the page of its project: `:range` is like `1.0.0..1.1.0`. */
int diff_page_range(struct call *, struct request *, struct response *);

/*
 * GET .../-/crates/:crate/diff?from=&to=: the same for a form.  Without `from` it compares with the version
 * before.
 */
int diff_page_form(struct call *, struct request *, struct response *);

#endif
