#ifndef CALL_REPLICA_H
#define CALL_REPLICA_H

/*
 * Reads that a replica of the database may answer, `database_read` of berth.conf(5): those of the routes that
 * say so in api/routes.c.  The primary decides who may read, and tells its position with the decision.  The
 * replica answers only if it has replayed its log up to there.  So nobody reads anything older than what was
 * acknowledged, or than what the decision rests on.  If it lags, fails or is away, the primary answers, and
 * the worker does not ask the replica again for a while.
 */

#include "call/app.h"
#include "call/app_metrics.h"

/* What one request knows about the replica.  The caller sets app and rq; all other members begin as zero. */
struct replica_use {
	struct worker_app *app;
	struct request *rq;
	struct db_position position; /* of the primary */
	bool chosen;
	enum replica_read read; /* once chosen: who answers */
};

/*
 * Runs the statement of a decision at the primary, as db_run(), and asks for the position in the same round
 * trip if the route may read from the replica.
 */
int replica_decide(struct replica_use *, struct db_call *) __attribute__((warn_unused_result));

/* Call it after a decision by other statements: the next read asks for the position first. */
void replica_outdate(struct replica_use *);

/* Returns the handle for what the route reads next: the replica's or the primary's. */
struct db *replica_choose(struct replica_use *);

/*
 * Call it after the read, whose error is in the request.  True: the replica could not answer; read again, at
 * the primary, which replica_choose() returns from here on.
 */
bool replica_again(struct replica_use *);

#endif
