#include "store/job.h"

#include <inttypes.h>

void
job_add_call(struct db_call *call, const struct job_new *job)
{
	struct db_params *p = &call->params;

	call->stmt = STMT_JOB_ADD;
	db_bind_str(p, job->kind);
	db_bind_str(p, job->key);
	db_bind_str(p, job->args);
	db_bind_int(p, job->delay);
}

int
job_add(struct db *db, struct arena *a, const struct job_new *job, struct err *err)
{
	struct db_call call = { .stmt = STMT__MAX };

	job_add_call(&call, job);
	return db_run(db, a, &call, 1, err);
}

int
job_add_missing(struct db *db, struct arena *a, const struct job_new *job, struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, job->kind);
	db_bind_str(&p, job->key);
	db_bind_str(&p, job->node);
	db_bind_str(&p, job->args);
	return db_exec(db, a, STMT_JOB_ADD_MISSING, &p, NULL, err);
}

int
job_listen(struct db *db, struct arena *a, struct err *err)
{
	return db_exec(db, a, STMT_JOB_LISTEN, NULL, NULL, err);
}

int
job_schedule(struct db *db, struct arena *a, const char *kind, const char *node, int64_t period,
    struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, kind);
	db_bind_str(&p, node);
	db_bind_int(&p, period);
	return db_exec(db, a, STMT_JOB_SCHEDULE, &p, NULL, err);
}

int
job_claim(struct db *db, struct arena *a, const struct job_claim *claim, struct job *job,
    struct err *err)
{
	enum { ID, KIND, ARGS, RUN, ATTEMPTS, PERIODIC, PROGRESS };
	struct db_params p = { .n = 0 };
	struct db_result r;

	*job = (struct job) { 0 };
	db_bind_array(&p, a, claim->kinds, claim->nkinds);
	db_bind_str(&p, claim->node);
	db_bind_str(&p, claim->who);
	db_bind_int(&p, claim->seconds);
	if (db_exec(db, a, STMT_JOB_CLAIM, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return 0;
	*job = (struct job) {
		.id = db_int(&r, 0, ID),
		.kind = db_str(&r, 0, KIND),
		.args = db_str(&r, 0, ARGS),
		.progress = db_str(&r, 0, PROGRESS),
		.run = db_int(&r, 0, RUN),
		.attempts = db_int(&r, 0, ATTEMPTS),
		.periodic = db_bool(&r, 0, PERIODIC),
	};
	return 0;
}

static void
bind_run(struct db_params *p, const struct job *job)
{
	db_bind_int(p, job->id);
	db_bind_int(p, job->run);
}

/* Two statements, as the second has to see what came in while the first waited for the row. */
static int
done_body(struct db *db, void *arg, struct err *err)
{
	struct db_call calls[] = { { .stmt = STMT_JOB_REMOVE_DONE }, { .stmt = STMT_JOB_DONE } };
	enum { NCALLS = sizeof(calls) / sizeof(*calls) };
	struct arena *a = arena_new();
	int rc;

	for (size_t i = 0; i < NCALLS; i++)
		bind_run(&calls[i].params, arg);
	rc = db_run(db, a, calls, NCALLS, err);
	arena_free(a);
	return rc;
}

int
job_done(struct db *db, const struct job *job, struct err *err)
{
	struct job copy = *job;
	bool unknown;

	return db_transaction(db, done_body, &copy, &unknown, err);
}

int
job_put_back(struct db *db, struct arena *a, const struct job *job, const char *progress,
    struct err *err)
{
	struct db_params p = { .n = 0 };

	bind_run(&p, job);
	db_bind_str(&p, progress);
	return db_exec(db, a, STMT_JOB_PUT_BACK, &p, NULL, err);
}

int
job_fail(struct db *db, struct arena *a, const struct job *job, const struct job_failure *failure,
    struct err *err)
{
	struct db_params p = { .n = 0 };

	bind_run(&p, job);
	db_bind_int(&p, failure->delay);
	db_bind_str(&p, failure->why);
	db_bind_bool(&p, failure->dead);
	db_bind_bool(&p, failure->anew);
	return db_exec(db, a, STMT_JOB_FAIL, &p, NULL, err);
}

static struct job_row
row_of(const struct db_result *r, int i)
{
	enum { ID, KIND, STATE, ATTEMPTS, RUN_AT, DONE_AT, CREATED_AT, PERIOD, NODE, WORKER, ERROR,
		ARGS };

	return (struct job_row) {
		.id = db_int(r, i, ID),
		.kind = db_str(r, i, KIND),
		.state = db_str(r, i, STATE),
		.attempts = db_int(r, i, ATTEMPTS),
		.run_at = db_time(r, i, RUN_AT),
		.done_at = db_time(r, i, DONE_AT),
		.created_at = db_time(r, i, CREATED_AT),
		.period = db_is_null(r, i, PERIOD) ? 0 : db_int(r, i, PERIOD),
		.node = db_str(r, i, NODE),
		.worker = db_str(r, i, WORKER),
		.error = db_str(r, i, ERROR),
		.args = db_str(r, i, ARGS),
	};
}

int
job_list(struct db *db, struct arena *a, const char *kind, bool dead, struct job_row **rows,
    size_t *n, struct err *err)
{
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, kind);
	db_bind_bool(&p, dead);
	if (db_exec(db, a, STMT_JOB_LIST, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*rows = arena_calloc(a, *n, sizeof(**rows));
	for (int i = 0; i < r.rows; i++)
		(*rows)[i] = row_of(&r, i);
	return 0;
}

struct change {
	struct arena *arena;
	const struct audit_actor *actor;
	enum stmt stmt;
	enum audit_action action;
	int64_t id;
	bool changed; /* it is different now */
};

static int
change_body(struct db *db, void *arg, struct err *err)
{
	enum { ID, CHANGED, KIND };
	struct change *c = arg;
	struct audit_event event = { .action = c->action, .id_key = "id", .id = c->id };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, c->id);
	if (db_exec(db, c->arena, c->stmt, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 404, "there is no job %" PRId64, c->id);
	c->changed = db_bool(&r, 0, CHANGED);
	if (!c->changed)
		return 0;
	event.facts[0] = (struct audit_fact) { "kind", db_str(&r, 0, KIND), false };
	return audit_add(db, c->arena, c->actor, &event, err);
}

int
job_retry(struct db *db, struct arena *a, const struct audit_actor *actor, int64_t id,
    struct err *err)
{
	struct change c = { a, actor, STMT_JOB_RETRY, AUDIT_JOB_RETRY, id, false };
	bool unknown;

	if (db_transaction(db, change_body, &c, &unknown, err) == -1)
		return -1;
	if (!c.changed)
		return err_set(err, 409, "another job waits already in the place of job %" PRId64, id);
	return 0;
}

int
job_remove(struct db *db, struct arena *a, const struct audit_actor *actor, int64_t id,
    struct err *err)
{
	struct change c = { a, actor, STMT_JOB_REMOVE, AUDIT_JOB_REMOVE, id, false };
	bool unknown;

	return db_transaction(db, change_body, &c, &unknown, err);
}
