#ifndef CALL_REPLICA_H
#define CALL_REPLICA_H

/*
 * Reads that a replica of the database may answer, `database_read` of berth.conf(5): those of the routes that
 * say so in api/routes.c.  Who may read is always decided at the primary, before this.  The replica answers
 * only if it has replayed all that the primary had written by then, so that nobody reads anything older than
 * what was acknowledged.  If it lags, fails or is away, the primary answers.
 */

#include "call/call.h"

/* A read: 0, or -1 with err.  It may run twice. */
typedef int replica_read_fn(struct db *, void *arg, struct err *);

/* Runs the read at the replica or at the primary.  -1: as the read. */
int replica_read(struct call *call, struct request *rq, replica_read_fn *read, void *arg)
    __attribute__((warn_unused_result));

#endif
