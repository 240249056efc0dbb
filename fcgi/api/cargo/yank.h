#ifndef API_CARGO_YANK_H
#define API_CARGO_YANK_H

/* DELETE …/yank, PUT …/unyank (Cargo reference, "Registry Web API: Yank"). */

#include "call/call.h"

extern const struct route_policy yank_policy;

/*
 * 200 {"ok":true}, also where the version already is in that state.  A yank may give its reason as
 * `message`, in a body that is a form or JSON; an unyank removes the message.  The version is matched
 * without its build metadata, the name in any spelling.  404 where there is no such crate or version.
 */
int yank_handle(struct call *, struct request *, struct response *);
int yank_handle_undo(struct call *, struct request *, struct response *);

#endif
