#ifndef API_WEB_SOURCE_PAGE_H
#define API_WEB_SOURCE_PAGE_H

/*
 * Pages of the files of a version, for everybody who may read the packages of its project.  The version may
 * be yanked.  The inspector reads them in its sandbox (crate/inspect/source.h), so nothing of a crate is
 * unpacked.  200; a page with 404 for what is not there or what the viewer may not know of, with 403 for a
 * member who may not read; 503 while too many crates are open.
 */

#include "call/call.h"

/* GET .../-/crates/:crate/:version/source, below the page of its project: all files. */
int source_page_list(struct call *, struct request *, struct response *);

/* GET .../source/:file: the text of one, with numbers of its lines; or why it is not shown. */
int source_page_file(struct call *, struct request *, struct response *);

#endif
