#ifndef API_CALL_BEGIN_H
#define API_CALL_BEGIN_H

/*
 * Runs the steps of each request before its handler: credential, caller, decision, rate limit, guard, first
 * read.
 */

#include "call/call.h"

/*
 * Finds the caller and decides, before the handler.  If the caller is let in and the route
 * writes, it sets the guard of auth/call_guard.h.  NULL: rq->err, 400, 401, 403, 404, 429, 503.
 */
struct call *call_begin(struct worker_app *, struct request *, struct response *)
    __attribute__((warn_unused_result));

#endif
