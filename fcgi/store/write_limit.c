#include "store/write_limit.h"

#include <assert.h>
#include <string.h>

static const char *const actions[WRITE__MAX] = {
	[WRITE_NEW_CRATE] = "new_crate",
	[WRITE_PUBLISH] = "publish",
	[WRITE_YANK] = "yank",
	[WRITE_CHANGE] = "change",
	[WRITE_TOKEN] = "token",
	[WRITE_JOB_TOKEN] = "job_token",
	[WRITE_FAILED_LOGIN] = "failed_login",
	[WRITE_JOB_LOGIN] = "job_login",
	[WRITE_KEY_READ] = "key_read",
};

static enum write_action
action_of(const char *name)
{
	enum write_action action = 0;

	while (action < WRITE__MAX - 1 && strcmp(actions[action], name) != 0)
		action++;
	return action;
}

/* The time in which one token comes back. */
static int64_t
cost_us(const struct write_limit *limit)
{
	return limit->burst == 0 ? 0 : (int64_t)60 * 1000000 / limit->per_minute;
}

/* The time in which an empty bucket becomes full. */
static int64_t
span_us(const struct write_limit *limit)
{
	return limit->burst * cost_us(limit);
}

static void
bind_limit(struct db_params *p, const struct write_limit *limit)
{
	db_bind_int(p, cost_us(limit));
	db_bind_int(p, span_us(limit));
}

int
write_limit_charge(struct db *db, struct arena *a, const struct write_ask *ask,
    struct write_answer *answer, struct err *err)
{
	struct db_params p = { .n = 0 };
	struct db_result r;

	*answer = (struct write_answer) { .action = ask->action };
	db_bind_str(&p, ask->actor);
	db_bind_str(&p, actions[ask->action]);
	bind_limit(&p, &ask->limits[ask->action]);
	db_bind_int(&p, ask->project_id);
	db_bind_str(&p, ask->normalized_name);
	bind_limit(&p, &ask->limits[WRITE_NEW_CRATE]);
	/* that a charge is counted twice now and then does no harm */
	while (db_exec(db, a, STMT_WRITE_LIMIT_CHARGE, &p, &r, err) == -1) {
		if (!db_try_again(db))
			return -1;
		err_clear(err);
	}
	if (r.rows > 0)
		*answer = (struct write_answer) { action_of(db_str(&r, 0, 0)), db_int(&r, 0, 1) };
	return 0;
}

/* A bucket that will be full in `due_us`: how long until a token is there? */
static int64_t
wait_us(const struct write_limit *limit, int64_t due_us)
{
	int64_t span = span_us(limit);
	int64_t wait = (due_us < span ? due_us : span) + cost_us(limit) - span;

	return limit->burst == 0 || wait < 0 ? 0 : wait;
}

/* Reads one bucket from the rows; a full bucket has no row. */
static int64_t
wait_of(const struct db_result *r, const struct write_look *look)
{
	enum { ACTOR, ACTION, DUE };

	for (int i = 0; i < r->rows; i++) {
		if (strcmp(db_str(r, i, ACTOR), look->actor) == 0 &&
		    strcmp(db_str(r, i, ACTION), actions[look->action]) == 0)
			return wait_us(&look->limit, db_int(r, i, DUE));
	}
	return 0;
}

int
write_limit_look(struct db *db, struct arena *a, struct write_look *looks, size_t n,
    struct db_call *beside, struct err *err)
{
	enum { LOOK, BESIDE, NCALLS };
	const char *actors[WRITE_LOOKS_MAX];
	struct db_call calls[NCALLS] = { { .stmt = STMT_WRITE_LIMIT_LOOK } };

	assert(n <= WRITE_LOOKS_MAX);
	for (size_t i = 0; i < n; i++)
		actors[i] = looks[i].actor;
	db_bind_array(&calls[LOOK].params, a, actors, n);
	if (beside != NULL)
		calls[BESIDE] = *beside;
	if (db_run(db, a, calls, beside != NULL ? NCALLS : BESIDE, err) == -1)
		return -1;
	if (beside != NULL)
		beside->result = calls[BESIDE].result;
	for (size_t i = 0; i < n; i++)
		looks[i].wait_us = wait_of(&calls[LOOK].result, &looks[i]);
	return 0;
}

int
write_limit_sweep(struct db *db, struct arena *a, int64_t *n, struct err *err)
{
	struct db_result r;

	if (db_exec(db, a, STMT_WRITE_LIMIT_SWEEP, NULL, &r, err) == -1)
		return -1;
	*n = r.affected;
	return 0;
}
