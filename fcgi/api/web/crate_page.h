#ifndef API_WEB_CRATE_PAGE_H
#define API_WEB_CRATE_PAGE_H

/*
 * The pages of one crate and of one of its versions, for everybody who may read the packages of its project.
 * 200; a page with 404 for what is not there or what the viewer may not know of, with 403 for a member who
 * may not read, with 400.
 */

#include "call/call.h"

/* GET .../-/crates/:crate?page=, below the page of its project: the version that stands for it, and all. */
int crate_page_crate(struct call *, struct request *, struct response *);

/* GET .../-/crates/:crate/:version: the details of one version, and its origin. */
int crate_page_version(struct call *, struct request *, struct response *);

#endif
