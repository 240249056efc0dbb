#ifndef AUTH_TOKEN_REUSE_H
#define AUTH_TOKEN_REUSE_H

/*
 * Detects the reuse of a rotated token.  Its owner no longer uses a token that another one has replaced.
 * If somebody shows it again before it expires, two parties have it, and nobody can tell which of them
 * rotated it: so Berth revokes the token that replaced it.
 */

#include "call/call.h"

/* Call it for each refused caller.  It logs an error of its own: the caller stays refused. */
void token_reuse_note(struct call *, struct request *);

#endif
