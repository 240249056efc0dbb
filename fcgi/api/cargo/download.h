#ifndef API_CARGO_DOWNLOAD_H
#define API_CARGO_DOWNLOAD_H

/* GET R/:crate/:version/download: nginx sends the bytes to a caller who may read them. */

#include "call/call.h"

extern const struct route_policy download_policy;

/*
 * 200 with X-Accel-Redirect; nginx makes Range, HEAD and conditional answers of
 * it.  404 where there is no such crate, under exactly this spelling, or version.
 */
int download_handle(struct call *, struct request *, struct response *);

#endif
