#include "call/replica.h"

#include "base/clock.h"
#include "base/log.h"
#include "call/app_metrics.h"

enum {
	SECOND = 1000000,
	ASK_US = SECOND, /* for the replica to connect, and to say how far it is */
	AWAY_US = 5 * SECOND /* before a replica that was away is asked again */
};

/* Does not ask the replica for a while. */
static enum replica_read
fails(struct worker_app *app, const struct err *err)
{
	app->replica_away_us = clock_us() + AWAY_US;
	log_warn("database_read: %s", err->detail);
	return REPLICA_AWAY;
}

static enum replica_read
look(struct worker_app *app, struct request *rq)
{
	struct err err = { 0 };
	bool follows;

	if (clock_us() < app->replica_away_us)
		return REPLICA_AWAY;
	db_look(app->replica);
	db_set_deadline(app->replica, clock_us() + ASK_US);
	if (db_replica_follows(app->replica, app->db, rq->arena, &follows, &err) == -1)
		return fails(app, &err);
	db_set_deadline(app->replica, rq->deadline_us);
	return follows ? REPLICA_ANSWERED : REPLICA_LAGS;
}

int
replica_read(struct call *call, struct request *rq, replica_read_fn *read, void *arg)
{
	struct worker_app *app = call->app;
	enum replica_read where;

	if (app->replica == NULL || !rq->route->replica)
		return read(app->db, arg, &rq->err);
	where = look(app, rq);
	if (where == REPLICA_ANSWERED) {
		int rc = read(app->replica, arg, &rq->err);

		/* the primary has to update a crate that has just changed */
		if (db_take_unfit(app->replica))
			where = REPLICA_LAGS;
		else if (rc == -1 && rq->err.status >= 500)
			where = fails(app, &rq->err);
		if (where == REPLICA_ANSWERED) {
			meter_count(app->meter, METRIC_REPLICA_READS, (size_t)where, 0);
			return rc;
		}
		err_clear(&rq->err);
	}
	meter_count(app->meter, METRIC_REPLICA_READS, (size_t)where, 0);
	return read(app->db, arg, &rq->err);
}
