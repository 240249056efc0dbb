#ifndef CALL_KNOWN_CALLER_H
#define CALL_KNOWN_CALLER_H

/*
 * Remembers callers who have published through this worker.  The facts about a token and a project rarely
 * change.  So the next publish begins with the remembered facts, and reads the current ones in a round trip
 * that it makes anyway.  Until known_caller_confirm() has compared them, the publish changes nothing but a
 * rate limit, and tells the client nothing, not even that something is wrong with the request.
 */

#include "call/call.h"

/* Remembers nobody yet.  It lives as long as the arena: the life of the worker. */
struct known_callers *known_callers_new(struct arena *);
/* Forgets all callers; NULL is fine.  The arena frees what it remembered. */
void known_callers_forget(struct known_callers *, struct arena *);

/* Remembers call.facts, which are current, and which have let the caller in. */
void known_caller_remember(const struct call *, const struct request *);

/* Does the worker know the caller?  Then it gives the call the remembered facts, and sets call.facts_due. */
bool known_caller_find(struct call *, struct request *);

/*
 * Call this if call.facts_due is true.  Replaces the remembered facts by the current ones: the result of
 * call_facts_call(), or, for NULL, what it reads itself.  If they differ, it forgets the caller.  0: the
 * facts are the same; 1: they differ, and still let the caller in; -1: 401, 403, 404 as access_decide(); 503.
 */
int known_caller_confirm(struct call *, struct request *, struct db_call *)
    __attribute__((warn_unused_result));

#endif
