#ifndef API_TOKEN_REUSE_H
#define API_TOKEN_REUSE_H

/*
 * A token that was replaced by another one is used by nobody any more.  When it is shown again within its
 * life, it is in somebody else's hands as well, and nobody can tell who has replaced it: what came in its
 * place is revoked.
 */

#include "api/call.h"

/* Of a caller who was refused, whatever for.  What goes wrong is logged: they stay refused. */
void token_reuse_note(struct call *, struct request *);

#endif
