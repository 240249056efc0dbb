#include "store/task.h"

#include <inttypes.h>

int
task_add_missing(struct db *db, struct arena *a, const struct task_new *task, struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, task->kind);
	db_bind_str(&p, task->key);
	db_bind_str(&p, task->node);
	db_bind_str(&p, task->args);
	return db_exec(db, a, STMT_TASK_ADD_MISSING, &p, NULL, err);
}

int
task_listen(struct db *db, struct arena *a, struct err *err)
{
	return db_exec(db, a, STMT_TASK_LISTEN, NULL, NULL, err);
}

int
task_schedule(struct db *db, struct arena *a, const char *kind, const char *node, int64_t period,
    struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, kind);
	db_bind_str(&p, node);
	db_bind_int(&p, period);
	return db_exec(db, a, STMT_TASK_SCHEDULE, &p, NULL, err);
}

int
task_hasten(struct db *db, struct arena *a, const char *kind, struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, kind);
	return db_exec(db, a, STMT_TASK_HASTEN, &p, NULL, err);
}

int
task_claim(struct db *db, struct arena *a, const struct task_claim *claim, struct task *task,
    struct err *err)
{
	enum { COLUMNS_TASK_CLAIM };
	struct db_params p = { .n = 0 };
	struct db_result r;

	*task = (struct task) { 0 };
	db_bind_array(&p, a, claim->kinds, claim->nkinds);
	db_bind_str(&p, claim->node);
	db_bind_str(&p, claim->who);
	db_bind_int(&p, claim->seconds);
	db_bind_array(&p, a, claim->first, claim->nfirst);
	if (db_exec(db, a, STMT_TASK_CLAIM, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return 0;
	*task = (struct task) {
		.id = db_int(&r, 0, ID),
		.kind = db_str(&r, 0, KIND),
		.args = db_str(&r, 0, ARGS),
		.progress = db_str(&r, 0, PROGRESS),
		.run = db_int(&r, 0, RUNS),
		.attempts = db_int(&r, 0, ATTEMPTS),
		.periodic = db_bool(&r, 0, PERIODIC),
	};
	return 0;
}

static void
bind_run(struct db_params *p, const struct task *task)
{
	db_bind_int(p, task->id);
	db_bind_int(p, task->run);
}

int
task_done(struct db *db, struct arena *a, const struct task *task, struct err *err)
{
	struct db_params p = { .n = 0 };

	bind_run(&p, task);
	return db_exec(db, a, task->periodic ? STMT_TASK_DONE : STMT_TASK_REMOVE_DONE, &p, NULL, err);
}

int
task_put_back(struct db *db, struct arena *a, const struct task *task, const char *progress,
    struct err *err)
{
	struct db_params p = { .n = 0 };

	bind_run(&p, task);
	db_bind_str(&p, progress);
	return db_exec(db, a, STMT_TASK_PUT_BACK, &p, NULL, err);
}

int
task_fail(struct db *db, struct arena *a, const struct task *task, const struct task_failure *failure,
    struct err *err)
{
	struct db_params p = { .n = 0 };

	bind_run(&p, task);
	db_bind_int(&p, failure->delay);
	db_bind_str(&p, failure->why);
	db_bind_bool(&p, failure->dead);
	db_bind_bool(&p, failure->anew);
	return db_exec(db, a, STMT_TASK_FAIL, &p, NULL, err);
}

static struct task_row
row_of(const struct db_result *r, int i)
{
	enum { COLUMNS_TASK_LIST };

	return (struct task_row) {
		.id = db_int(r, i, ID),
		.kind = db_str(r, i, KIND),
		.state = db_str(r, i, STATE),
		.attempts = db_int(r, i, ATTEMPTS),
		.run_at = db_time(r, i, RUN_AT),
		.done_at = db_time(r, i, DONE_AT),
		.created_at = db_time(r, i, CREATED_AT),
		.period = db_int_or_0(r, i, PERIOD),
		.node = db_str(r, i, NODE),
		.worker = db_str(r, i, CLAIMED_BY),
		.error = db_str(r, i, ERROR),
		.args = db_str(r, i, ARGS),
	};
}

int
task_list(struct db *db, struct arena *a, const char *kind, bool dead, struct task_row **rows,
    size_t *n, struct err *err)
{
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, kind);
	db_bind_bool(&p, dead);
	if (db_exec(db, a, STMT_TASK_LIST, &p, &r, err) == -1)
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
	enum { COLUMNS_TASK_REMOVE }; /* as of task_retry, which has one more */
	struct change *c = arg;
	struct audit_event event = { .action = c->action, .id_key = "id", .id = c->id };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, c->id);
	if (db_exec(db, c->arena, c->stmt, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 404, "there is no task %" PRId64, c->id);
	c->changed = db_bool(&r, 0, CHANGED);
	if (!c->changed)
		return 0;
	event.facts[0] = (struct audit_fact) { "kind", db_str(&r, 0, KIND), false };
	return audit_add(db, c->arena, c->actor, &event, err);
}

int
task_retry(struct db *db, struct arena *a, const struct audit_actor *actor, int64_t id,
    struct err *err)
{
	struct change c = { a, actor, STMT_TASK_RETRY, AUDIT_TASK_RETRY, id, false };
	bool unknown;

	if (db_transaction(db, change_body, &c, &unknown, err) == -1)
		return -1;
	if (!c.changed)
		return err_set(err, 409, "another task is already waiting instead of task %" PRId64, id);
	return 0;
}

int
task_remove(struct db *db, struct arena *a, const struct audit_actor *actor, int64_t id,
    struct err *err)
{
	struct change c = { a, actor, STMT_TASK_REMOVE, AUDIT_TASK_REMOVE, id, false };
	bool unknown;

	return db_transaction(db, change_body, &c, &unknown, err);
}
