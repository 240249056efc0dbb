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

enum { KNOWN_CALLER_CALLS = 2 };

/*
 * If call.facts_due is true: fills in the calls that known_caller_confirm() needs, and returns how many.  One
 * is enough if the worker knows what the facts rest on (access_grounds_call()).
 */
size_t known_caller_calls(const struct call *, const struct request *, struct db_call *calls);

/*
 * Call this if call.facts_due is true.  Compares the remembered facts with the current ones: the results of
 * known_caller_calls(), and what it reads itself if they do not suffice, or if n is 0.  If the facts differ,
 * the current ones replace them, and the caller is forgotten.  0: the facts are the same; 1: they differ, and
 * still let the caller in; -1: 401, 403, 404 as access_decide(); 503.
 */
int known_caller_confirm(struct call *, struct request *, struct db_call *calls, size_t n)
    __attribute__((warn_unused_result));

#endif
