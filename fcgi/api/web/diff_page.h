#ifndef API_WEB_DIFF_PAGE_H
#define API_WEB_DIFF_PAGE_H

/*
 * How two versions of a crate differ, for everybody who may read their source (api/web/source_page.h): what
 * their manifests say of dependencies and features, then their files.  Also of versions that are yanked.
 * 200; a page with 404 for what is not there or what the viewer may not know of, with 403 for a member who
 * may not read, with 400; 503 while too many crates are open.
 */

#include "call/call.h"

/* GET .../-/crates/:crate/diff/:range, below the page of its project: `1.0.0..1.1.0`. */
int diff_page_range(struct call *, struct request *, struct response *);

/* GET .../-/crates/:crate/diff?from=&to=: the same for a form.  Without `from` from the version before. */
int diff_page_form(struct call *, struct request *, struct response *);

#endif
