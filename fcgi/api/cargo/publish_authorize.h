#ifndef API_CARGO_PUBLISH_AUTHORIZE_H
#define API_CARGO_PUBLISH_AUTHORIZE_H

/*
 * The upload authorize step (berth-architecture(7), A REQUEST): before nginx reads the body of a publish it
 * asks, by subrequest, whether this caller may upload here, and so much.  So a caller who may not publish
 * costs no upload and no disk space.
 */

#include "call/call.h"

extern const struct route_policy publish_authorize_policy;

/*
 * 204.  Errors, in ERROR_FORMAT_SUBREQUEST: those of the access decision, 413 where the announced length is
 * more than frame, metadata and crate can have, 429 where the caller has published too much of late, and
 * 403 where a quota has no room for another version or for the announced bytes.
 */
int publish_authorize_handle(struct call *, struct request *, struct response *);

#endif
