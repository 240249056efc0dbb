#include "store/token/rate_limit.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"

static const char *const actions[RATE_LIMIT__MAX] = {
	[RATE_LIMIT_NEW_CRATE] = "new_crate",
	[RATE_LIMIT_PUBLISH] = "publish",
	[RATE_LIMIT_YANK] = "yank",
	[RATE_LIMIT_CHANGE] = "change",
	[RATE_LIMIT_TOKEN] = "token",
	[RATE_LIMIT_JOB_TOKEN] = "job_token",
	[RATE_LIMIT_FAILED_LOGIN] = "failed_login",
	[RATE_LIMIT_JOB_LOGIN] = "job_login",
	[RATE_LIMIT_KEY_READ] = "key_read",
};

static enum rate_limit_action
action_of(const char *name)
{
	enum rate_limit_action action = 0;

	while (action < RATE_LIMIT__MAX - 1 && strcmp(actions[action], name) != 0)
		action++;
	return action;
}

/* The time in which one token comes back. */
static int64_t
cost_us(const struct rate_limit *limit)
{
	return limit->burst == 0 ? 0 : (int64_t)60 * CLOCK_SECOND / limit->per_minute;
}

/* The time in which an empty bucket becomes full. */
static int64_t
span_us(const struct rate_limit *limit)
{
	return limit->burst * cost_us(limit);
}

/* Is there no limit?  Then the caller need not ask the database. */
static bool
unlimited(const struct rate_limit_ask *ask)
{
	return span_us(&ask->limits[ask->action]) == 0 &&
	    (ask->normalized_name == NULL || span_us(&ask->limits[RATE_LIMIT_NEW_CRATE]) == 0);
}

static void
bind_limit(struct db_params *p, const struct rate_limit *limit)
{
	db_bind_int(p, cost_us(limit));
	db_bind_int(p, span_us(limit));
}

int
rate_limit_charge(struct db *db, struct arena *a, const struct rate_limit_ask *ask, struct db_call *beside,
    size_t n, struct rate_limit_answer *answer, struct err *err)
{
	enum { COLUMNS_RATE_LIMIT_CHARGE };
	struct db_call call = { .stmt = STMT_RATE_LIMIT_CHARGE };
	const struct db_result *r = &call.result;
	struct db_params *p = &call.params;

	*answer = (struct rate_limit_answer) { .action = ask->action };
	if (unlimited(ask))
		return n == 0 ? 0 : db_run(db, a, beside, n, err);
	db_bind_str(p, ask->actor);
	db_bind_str(p, actions[ask->action]);
	bind_limit(p, &ask->limits[ask->action]);
	db_bind_int(p, ask->project_id);
	db_bind_str(p, ask->normalized_name);
	bind_limit(p, &ask->limits[RATE_LIMIT_NEW_CRATE]);
	/* that a charge is counted twice now and then does no harm */
	while (db_run_beside(db, a, &call, beside, n, err) == -1) {
		if (!db_try_again(db))
			return -1;
		err_clear(err);
	}
	if (r->rows > 0)
		*answer = (struct rate_limit_answer) { action_of(db_str(r, 0, ACTION)), db_int(r, 0, WAIT_US) };
	return 0;
}

/* A bucket that will be full in `due_us`: how long until a token is there? */
static int64_t
wait_us(const struct rate_limit *limit, int64_t due_us)
{
	int64_t span = span_us(limit);
	int64_t wait = (due_us < span ? due_us : span) + cost_us(limit) - span;

	return limit->burst == 0 || wait < 0 ? 0 : wait;
}

/* Reads one bucket from the rows; a full bucket has no row. */
static int64_t
wait_of(const struct db_result *r, const struct rate_limit_look *look)
{
	enum { COLUMNS_RATE_LIMIT_LOOK };

	for (int i = 0; i < r->rows; i++) {
		if (strcmp(db_str(r, i, ACTOR), look->actor) == 0 &&
		    strcmp(db_str(r, i, ACTION), actions[look->action]) == 0)
			return wait_us(&look->limit, db_int(r, i, DUE));
	}
	return 0;
}

int
rate_limit_look(struct db *db, struct arena *a, struct rate_limit_look *looks, size_t n,
    struct db_call *beside, struct err *err)
{
	const char *actors[RATE_LIMIT_LOOKS_MAX];
	struct db_call call = { .stmt = STMT_RATE_LIMIT_LOOK };

	assert(n <= RATE_LIMIT_LOOKS_MAX);
	for (size_t i = 0; i < n; i++)
		actors[i] = looks[i].actor;
	db_bind_array(&call.params, a, actors, n);
	if (db_run_beside(db, a, &call, beside, beside != NULL, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		looks[i].wait_us = wait_of(&call.result, &looks[i]);
	return 0;
}

int
rate_limit_sweep(struct db *db, struct arena *a, int64_t *n, struct err *err)
{
	struct db_result r;

	if (db_exec(db, a, STMT_RATE_LIMIT_SWEEP, NULL, &r, err) == -1)
		return -1;
	*n = r.affected;
	return 0;
}
