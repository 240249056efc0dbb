#ifndef AUTH_CALL_GUARD_H
#define AUTH_CALL_GUARD_H

/*
 * Repeats the decision at the end of each transaction in which a caller writes.  A publish waits for
 * seconds, for its inspection and for other publishes of the same crate, and any write may wait for a lock.
 * If the caller loses the right meanwhile (a token is revoked, a user blocked, a membership lost, packages
 * switched off, a job over), the write fails as well.  If it is known what the facts rest on (call.grounds),
 * the guard asks whether that still holds; otherwise, or if it does not, it reads the facts again, and
 * access_decide() judges them.
 *
 * The flag `writes` is checked in the same way: where it is off, the registry is read-only for maintenance.
 */

#include "call/call.h"

/*
 * Guards the rest of a request whose caller was let in.  A transaction then fails with the error of
 * access_decide(), or with 503 if the caller still has the right, but not the same role as when the
 * handler prepared the write.
 */
void call_guard_set(struct call *, struct request *);

/*
 * May this request write now?  Call it before the handler of a route with `writes`; requests that only read
 * may always go on.  known: the caller's facts were read and have the flag; otherwise it asks the database.
 * -1: 503, also during maintenance.
 */
int call_guard_writes(struct call *, struct request *, bool known) __attribute__((warn_unused_result));

#endif
