#ifndef API_CARGO_PUBLISH_H
#define API_CARGO_PUBLISH_H

/*
 * PUT R/api/v1/crates/new (Cargo reference, "Registry Web API: Publish";
 * berth-api(7), Publishing).  Everything that can be wrong is found before the answer;
 * a crash anywhere leaves nothing visible or everything.
 */

#include "call/call.h"

extern const struct route_policy publish_route_policy;

/*
 * 200 with warnings.  400 for what is wrong with frame, metadata, crate or a
 * version that is there already; 413 for what is too large; 429 for too much in too
 * short a time, before a large crate is read; 503 where database or store are away.
 */
int publish_handle(struct call *, struct request *, struct response *);

#endif
