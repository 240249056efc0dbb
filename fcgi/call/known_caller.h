#ifndef CALL_KNOWN_CALLER_H
#define CALL_KNOWN_CALLER_H

/*
 * Callers who have published with this worker before.  The facts about the same token and the same project
 * are mostly the same again.  So the next publish begins with those of the last time, and reads those of now
 * in a round trip that it makes anyway.  Until known_caller_confirm() it changes nothing but a rate limit,
 * and tells the client nothing, not even that something is wrong with the request.
 */

#include "call/call.h"

/* For the life of the worker, which is that of the arena. */
struct known_callers *known_callers_new(struct arena *);
/* NULL: nothing happens. */
void known_callers_forget(struct known_callers *, struct arena *);

/* The caller has been let in by call.facts, which are of now. */
void known_caller_remember(const struct call *, const struct request *);

/* Is the caller known?  Then the call has the facts of that time, and call.facts_due is true. */
bool known_caller_find(struct call *, struct request *);

/*
 * Where call.facts_due is true: takes the facts of now, the result of call_facts_call(); NULL: reads them.
 * If they are others, the caller is no longer known.  0: they are the same; 1: they are others, and let the
 * caller in, too; -1: 401, 403, 404 as access_decide(); 503.
 */
int known_caller_confirm(struct call *, struct request *, struct db_call *)
    __attribute__((warn_unused_result));

#endif
