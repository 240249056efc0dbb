#ifndef API_WEB_ASSET_H
#define API_WEB_ASSET_H

/*
 * The files that pages refer to, for everybody.  A page names each by an address that changes with the
 * file, and which may then be kept for a year.
 */

#include "call/call.h"

/* GET /-/style.css */
int asset_style(struct call *, struct request *, struct response *);

/* GET /-/favicon.svg */
int asset_favicon(struct call *, struct request *, struct response *);

#endif
