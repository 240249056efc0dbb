#ifndef API_CARGO_YANK_H
#define API_CARGO_YANK_H

/* DELETE …/yank, PUT …/unyank (Cargo reference, "Registry Web API: Yank"). */

#include "call/call.h"

extern const struct route_policy yank_policy;

/*
 * 200 {"ok":true}, also where it is so already.  A yank may say why, in a body that is a form or JSON
 * with `message`; unyanked, the version has none any more.  The version is matched without
 * its build metadata, the name in any spelling.  404 where there is no such crate or version.
 */
int yank_handle(struct call *, struct request *, struct response *);
int yank_handle_undo(struct call *, struct request *, struct response *);

#endif
