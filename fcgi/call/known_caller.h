#ifndef CALL_KNOWN_CALLER_H
#define CALL_KNOWN_CALLER_H

/*
 * Remembers callers who have published through this worker.  The facts about a token and a project rarely
 * change.  So the next publish begins with the remembered facts, and asks in a round trip that it makes
 * anyway whether they still hold.  Until known_caller_confirm() knows that, the publish changes nothing but a
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
 * If call.facts_due is true: fills in the call that known_caller_confirm() needs.  If the worker knows what
 * the facts rest on, the call asks only whether that still holds.
 */
void known_caller_call(const struct call *, const struct request *, struct db_call *);

/*
 * Call this if call.facts_due is true.  Compares the remembered facts with the current ones: the result of
 * known_caller_call(), and what it reads itself if that does not suffice, or for NULL.  If the facts differ,
 * the current ones replace them, and the caller is forgotten.  0: the caller has lost no right; if facts_due
 * is still true, they may have got further ones: before you refuse the request, call this again with NULL;
 * 1: the facts differ, and still let the caller in; -1: 401, 403, 404 as access_decide(); 503.
 */
int known_caller_confirm(struct call *, struct request *, struct db_call *)
    __attribute__((warn_unused_result));

#endif
