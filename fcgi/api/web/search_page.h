#ifndef API_WEB_SEARCH_PAGE_H
#define API_WEB_SEARCH_PAGE_H

/*
 * GET /-/search?q=&project=&keyword=&license=&rust=&yanked=&page=: crates of all projects that the viewer
 * may read, and links that narrow the search.  Their numbers count only crates that the viewer may read.
 * 200; a page with 400.
 */

#include "call/call.h"

int search_page(struct call *, struct request *, struct response *);

#endif
