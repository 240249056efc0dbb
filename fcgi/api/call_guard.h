#ifndef API_CALL_GUARD_H
#define API_CALL_GUARD_H

/*
 * The decision again, at the end of each transaction in which a caller writes.  A publish waits for
 * seconds, for its inspection and for others who publish the same crate, and any write may wait for a lock: what
 * ends a right meanwhile (a token is revoked, a user blocked, a membership lost, packages switched off, a job
 * over) ends the write as well.  The facts are read by the same statement as before, and judged by
 * access_decide().
 */

#include "api/call.h"

/*
 * For the rest of a request whose caller was let in.  A transaction then fails with what
 * access_decide() says, or with 503 where the caller may do it still, but no more as the one they
 * were when it was prepared.
 */
void call_guard_set(struct call *, struct request *);

#endif
