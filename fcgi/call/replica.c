#include "call/replica.h"

#include "base/clock.h"
#include "base/log.h"

enum {
	ASK_US = CLOCK_SECOND, /* for the replica to connect, and to say how far it is */
	AWAY_US = 5 * CLOCK_SECOND, /* before a replica that was away is asked again */
	LAG_US = CLOCK_SECOND / 100, LAG_MAX_US = CLOCK_SECOND /* before one that lags: twice as long each time */
};

static bool
may_ask(const struct replica_use *use)
{
	return use->app->replica != NULL && use->rq->route->replica && clock_us() >= use->app->replica_pause_us;
}

/* Does not ask the replica for a while. */
static enum replica_read
fails(struct worker_app *app, const struct err *err)
{
	app->replica_pause_us = clock_us() + AWAY_US;
	app->replica_lag_us = 0;
	log_warn("database_read: %s", err->detail);
	return REPLICA_AWAY;
}

/* Does not ask the replica for a moment: one that lags far behind will not know the next position either. */
static enum replica_read
lags(struct worker_app *app)
{
	int64_t longer = 2 * app->replica_lag_us;

	app->replica_lag_us = longer < LAG_US ? LAG_US : longer < LAG_MAX_US ? longer : LAG_MAX_US;
	app->replica_pause_us = clock_us() + app->replica_lag_us;
	return REPLICA_LAGS;
}

int
replica_decide(struct replica_use *use, struct db_call *decision)
{
	struct err *err = &use->rq->err;
	struct db_call position;

	if (may_ask(use)) {
		db_position_call(&position);
		if (db_run_beside(use->app->db, use->rq->arena, decision, &position, 1, err) == 0) {
			db_position_read(&position, &use->position);
			return 0;
		}
		if (err->status != 500)
			return -1;
		/* a server that does not tell its position decides all the same */
		fails(use->app, err);
		err_clear(err);
	}
	return db_run(use->app->db, use->rq->arena, decision, 1, err);
}

void
replica_outdate(struct replica_use *use)
{
	use->position.lsn = NULL;
}

static int
ask_position(struct replica_use *use, struct err *err)
{
	struct db_call position;

	if (use->position.lsn != NULL)
		return 0;
	db_position_call(&position);
	if (db_run(use->app->db, use->rq->arena, &position, 1, err) == -1)
		return -1;
	db_position_read(&position, &use->position);
	return 0;
}

static enum replica_read
look(struct replica_use *use)
{
	struct worker_app *app = use->app;
	struct err err = { 0 };

	if (!may_ask(use))
		return app->replica_lag_us > 0 ? REPLICA_LAGS : REPLICA_AWAY;
	/* a primary that fails, or is none, says so to the read itself */
	if (ask_position(use, &err) == -1 || use->position.lsn == NULL)
		return REPLICA_LAGS;
	db_look(app->replica);
	db_set_deadline(app->replica, clock_us() + ASK_US);
	if (db_connect(app->replica, &err) == -1)
		return fails(app, &err);
	db_set_deadline(app->replica, use->rq->deadline_us);
	db_set_position(app->replica, &use->position, ASK_US);
	return REPLICA_ANSWERED;
}

struct db *
replica_choose(struct replica_use *use)
{
	struct worker_app *app = use->app;

	if (app->replica == NULL || !use->rq->route->replica)
		return app->db;
	if (!use->chosen || use->read == REPLICA_ANSWERED)
		use->read = look(use);
	use->chosen = true;
	return use->read == REPLICA_ANSWERED ? app->replica : app->db;
}

bool
replica_again(struct replica_use *use)
{
	struct worker_app *app = use->app;

	if (!use->chosen)
		return false;
	switch (use->read == REPLICA_ANSWERED ? db_take_unfit(app->replica) : DB_FIT) {
	case DB_FIT:
		if (use->read == REPLICA_ANSWERED)
			app->replica_lag_us = 0;
		meter_count(app->meter, METRIC_REPLICA_READS, (size_t)use->read, 0);
		return false;
	case DB_UNFIT_LAGS:
		use->read = lags(app);
		break;
	case DB_UNFIT_WRITES:
		use->read = REPLICA_LAGS;
		break;
	case DB_UNFIT_FAILS:
		use->read = fails(app, &use->rq->err);
		break;
	}
	err_clear(&use->rq->err);
	return true;
}
