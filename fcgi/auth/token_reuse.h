#ifndef AUTH_TOKEN_REUSE_H
#define AUTH_TOKEN_REUSE_H

/*
 * Nobody uses a token any more that another one has replaced.  When somebody shows it again within its
 * life, two have it, and nobody can tell which of them replaced it: Berth revokes the token that
 * replaced it.
 */

#include "call/call.h"

/* Call it for each refused caller.  It logs an error of its own: the caller stays refused. */
void token_reuse_note(struct call *, struct request *);

#endif
