#ifndef CALL_BRING_H
#define CALL_BRING_H

/* Bytes of the store for a request, wherever the store is. */

#include "call/app.h"

/*
 * Makes sure that the file of a blob is in the directory where nginx and the pool open it.  If the store is
 * an object store, it fetches a missing copy, of at most `max` bytes, in one round trip.  *path is the file
 * there that nginx can send, perhaps before it is a copy (blob_bring_early()); NULL: it is a copy on return.
 * 1: the file is there; 0: the store lacks it; -1: rq->err, 503.
 */
int bring_blob(struct worker_app *, struct request *, const char *sha256, int64_t max, const char **path)
    __attribute__((warn_unused_result));

/*
 * Can a request that bring_blob() has deferred for that blob go on?  The copy is there meanwhile, or a slot
 * is reserved for the request (call/outbound_slot.h).
 */
bool bring_resumes(struct worker_app *, const char *sha256);

#endif
