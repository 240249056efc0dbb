/*
 * store/task and tasks/loop with a real server: how tasks come in, are claimed by one, come back and
 * die.  The kinds are this test's own, in place of those of tasks/kinds.c.
 */

#include "store/task.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "own_database.h"
#include "tap.h"
#include "tasks/loop.h"
#include "tasks/task.h"

enum { TIMEOUT_MS = 10000, PATIENCE_S = 30 };

static struct err err;

/* ---- the kinds: they write down that they were there ---- */

static int
fails_run(struct task_ctx *ctx, const struct task *task, struct err *e)
{
	(void)ctx;
	return err_internal(e, 500, "no luck with %s", task->args);
}

/* Three runs until it is done, each of which goes on where the last one was. */
static int
steps_run(struct task_ctx *ctx, const struct task *task, struct err *e)
{
	long step =
	    task->progress == NULL ? 1 : strtol(strchr(task->progress, ':') + 1, NULL, 10) + 1;

	(void)e;
	task_note(ctx, "step %ld", step);
	if (step < 3)
		task_again(ctx, arena_printf(ctx->arena, "{\"step\": %ld}", step));
	return 0;
}

const struct task_kind task_kinds[] = {
	{ .name = "fails", .max_attempts = 2, .run = fails_run },
	{ .name = "steps", .run = steps_run },
	{ .name = "comes_round", .period = 3600, .run = steps_run },
	{ .name = "each_node", .period = 60, .each_node = true, .run = steps_run },
	{ .name = "often_fails", .period = 10, .run = fails_run },
	{ .name = "seldom_fails", .period = 86400, .run = fails_run },
};
const size_t task_nkinds = sizeof(task_kinds) / sizeof(*task_kinds);

/* Asks again until the answer is that; for how long it takes. */
static void
becomes(const char *text, const char *want, const char *name)
{
	int64_t end = clock_us() + (int64_t)PATIENCE_S * 1000000;
	const char *got;

	while (strcmp(got = sql(text), want) != 0 && clock_us() < end)
		(void)poll(NULL, 0, 20);
	is_str(got, want, name);
}

static struct task
claim(struct db *db, const char *kind, const char *node)
{
	const struct task_claim c = { .kinds = &kind, .nkinds = 1, .node = node, .who = "test", .seconds = 300 };
	struct task task;

	if (task_claim(db, a, &c, &task, &err) == -1)
		printf("# %s\n", err.detail);
	return task;
}

/* ---- store/task ---- */

/* Is something notified within the time that it could take? */
static bool
is_notified(struct db *db)
{
	struct pollfd p = { .fd = db_fd(db), .events = POLLIN };

	if (db_notified(db))
		return true;
	if (poll(&p, 1, TIMEOUT_MS) == 1)
		db_idle_event(db);
	return db_notified(db);
}

static void
test_claim(struct db *db, struct db *listener)
{
	struct task task;

	is_int(task_listen(listener, a, &err), 0, "somebody listens");
	ok(!db_notified(listener), "to nothing yet");
	sql("INSERT INTO tasks (kind, args) VALUES ('x', '{\"n\": 1}'); NOTIFY berth_tasks");
	ok(is_notified(listener), "hears of a task");
	ok(!db_notified(listener), "once");
	task = claim(db, "y", "one");
	is_int(task.id, 0, "there is none of another kind");
	task = claim(db, "x", "one");
	ok(task.id > 0, "it is claimed");
	is_str(task.kind, "x", "its kind");
	is_str(task.args, "{\"n\": 1}", "what it is about");
	is_str(task.progress, NULL, "it is at its beginning");
	is_int(task.attempts, 1, "for the first time");
	ok(!task.periodic, "without a period");
	is_int(claim(listener, "x", "one").id, 0, "by nobody else");
	is_int(task_done(db, a, &task, &err), 0, "it is done");
	is_str(sql("SELECT count(*) FROM tasks"), "0", "and gone");
}

static void
test_delay_and_node(struct db *db)
{
	struct task task;

	sql("INSERT INTO tasks (kind, run_at) VALUES ('x', now() + interval '1 h')");
	is_int(claim(db, "x", "one").id, 0, "one for later is not due");
	sql("UPDATE tasks SET run_at = now(), node = 'two'");
	is_int(claim(db, "x", "one").id, 0, "nor for this node");
	task = claim(db, "x", "two");
	ok(task.id > 0, "but for that");
	is_int(task_done(db, a, &task, &err), 0, "done");
}

static void
test_key(struct db *db)
{
	const struct task_new keyed = { .kind = "x", .key = "k", .node = "one", .args = "{\"n\": 2}" };
	const struct task_new other = { .kind = "x", .key = "l", .node = "two", .args = "{}" };
	struct task task;

	is_int(task_add_missing(db, a, &keyed, &err), 0, "one with a key");
	is_int(task_add_missing(db, a, &keyed, &err), 0, "and the same again");
	is_int(task_add_missing(db, a, &other, &err), 0, "and another");
	is_str(sql("SELECT count(*) FROM tasks"), "2", "are two");
	task = claim(db, "x", "one");
	is_str(task.args, "{\"n\": 2}", "the first is due at once, on its node");
	is_int(task_fail(db, a, &task, &(struct task_failure) { "x", 1, true, false }, &err), 0, "it dies");
	is_int(task_add_missing(db, a, &keyed, &err), 0, "and the same again");
	is_str(sql("SELECT count(*) FROM tasks WHERE key = 'k' AND dead_at IS NOT NULL"), "1", "is there already");
	is_str(sql("SELECT count(*) FROM tasks WHERE key = 'k'"), "1", "once");
	sql("DELETE FROM tasks");
}

static void
test_claims(struct db *db)
{
	struct db *dies = db_new(conninfo, TIMEOUT_MS);
	struct task first, second;

	sql("INSERT INTO tasks (kind) VALUES ('x')");
	first = claim(dies, "x", "one");
	ok(first.id > 0, "a task is claimed");
	db_free(dies);
	/* the server needs a moment to notice */
	for (int i = 0; i < 500 && (second = claim(db, "x", "one")).id == 0; i++)
		(void)poll(NULL, 0, 10);
	is_int(second.id, first.id, "and by another when the first is gone");
	is_int(second.attempts, 2, "for the second time");
	is_int(task_done(db, a, &first, &err), 0, "what the first says");
	is_str(sql("SELECT count(*) FROM tasks"), "1", "counts no more");
	is_int(task_fail(db, a, &first, &(struct task_failure) { "x", 1, true, false }, &err), 0,
	    "nor that it failed");
	is_str(sql("SELECT dead_at IS NULL FROM tasks"), "t", "it is not dead");
	is_int(task_put_back(db, a, &first, "{\"at\": 9}", &err), 0, "nor that there is more to do");
	is_str(sql("SELECT progress IS NULL AND claimed_until > now() FROM tasks"), "t", "it stays claimed");
	sql("UPDATE tasks SET period = 60");
	first.periodic = true;
	is_int(task_done(db, a, &first, &err), 0, "nor that it is done until the next time");
	is_str(sql("SELECT done_at IS NULL AND claimed_until > now() FROM tasks"), "t", "it stays claimed");
	sql("UPDATE tasks SET period = NULL");
	sql("UPDATE tasks SET claimed_until = now() - interval '1 s'");
	is_int(claim(db, "x", "one").id, 0, "should the second be gone too, it waits");
	sql("UPDATE tasks SET run_at = now()");
	first = claim(db, "x", "one");
	is_int(first.attempts, 3, "a claim does not last for ever");
	is_int(task_put_back(db, a, &first, "{\"at\": 5}", &err), 0, "there is more to do");
	second = claim(db, "x", "one");
	is_int(second.attempts, 1, "which is no failure");
	is_str(second.progress, "{\"at\": 5}", "and goes on from there");
	is_int(task_fail(db, a, &second, &(struct task_failure) { "why", 60, false, false }, &err), 0, "it fails");
	is_int(claim(db, "x", "one").id, 0, "and waits");
	is_str(sql("SELECT error || progress::text FROM tasks"), "why{\"at\": 5}", "where it is");
	sql("UPDATE tasks SET run_at = now()");
	second = claim(db, "x", "one");
	is_int(task_fail(db, a, &second, &(struct task_failure) { "enough", 60, true, false }, &err), 0, "it dies");
	sql("UPDATE tasks SET run_at = now()");
	is_int(claim(db, "x", "one").id, 0, "nobody touches it");
	sql("DELETE FROM tasks");
}

/* The number of a process that has died may be that of another one now. */
static void
test_same_pid(struct db *db, struct db *other)
{
	sql("INSERT INTO tasks (kind) VALUES ('x')");
	ok(claim(other, "x", "one").id > 0, "another session claims a task");
	sql("UPDATE tasks SET run_at = now()");
	is_int(claim(db, "x", "one").id, 0, "it is there, so the claim counts");
	sql("UPDATE tasks SET backend_start = backend_start - interval '1 h'");
	ok(claim(db, "x", "one").id > 0, "that of an earlier session with its number does not");
	sql("DELETE FROM tasks");
}

static void
test_schedule(struct db *db)
{
	static const char next[] = "SELECT round(extract(epoch FROM run_at - now()) / 10) * 10 FROM tasks";
	static const struct {
		const char *set, *then, *name;
	} cases[] = {
		{ "attempts = 0", "0", "a task that waits for its time is due at once" },
		{ "attempts = 1", "600", "one that has failed is not" },
		{ "claimed_until = now()", "600", "nor one that is claimed" },
	};

	is_int(task_schedule(db, a, "x", NULL, 3600, &err), 0, "a task with a period");
	sql("UPDATE tasks SET run_at = now() + interval '1 h'");
	is_int(task_schedule(db, a, "x", NULL, 7200, &err), 0, "a longer one");
	is_str(sql(next), "3600", "leaves its time");
	is_int(task_schedule(db, a, "x", NULL, 60, &err), 0, "a shorter one");
	is_str(sql(next), "60", "brings it forward");
	is_str(sql("SELECT count(*) FROM tasks"), "1", "there is one task");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		sql(arena_printf(a, "UPDATE tasks SET run_at = now() + interval '10 min', attempts = 0,"
		    " claimed_until = NULL, dead_at = NULL; UPDATE tasks SET %s", cases[i].set));
		is_int(task_hasten(db, a, "x", &err), 0, "hastens it");
		is_str(sql(next), cases[i].then, cases[i].name);
	}
	sql("DELETE FROM tasks");
}

/* ---- the loop ---- */

static pid_t
start_loop(void)
{
	static const struct settings s = { .node = "here", .log_level = "error",
		.worker_log_file = "/dev/null", .worker_pid_file = "", .database = conninfo,
		.database_direct = conninfo, .database_timeout = 10 };
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int status = task_loop_log_open(&s) == -1 ? 1 : task_loop_run("/nonexistent", &s);

		/* what belongs to the parent is not ours to free */
		_exit(status);
	}
	return pid;
}

/* How long tasks with a period wait that have failed often: until a worker tries again, or if it dies. */
static void
test_patience(void)
{
	static const struct {
		const char *kind, *least, *most;
	} cases[] = { { "often_fails", "15", "38" }, { "seldom_fails", "600", "1126" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *kind = cases[i].kind;

		becomes(arena_printf(a, "SELECT error IS NOT NULL AND claimed_until IS NULL FROM tasks WHERE kind = '%s'",
		    kind), "t", "it fails");
		sql(arena_printf(a, "UPDATE tasks SET attempts = 50, error = NULL, run_at = now() WHERE kind = '%s';"
		    " NOTIFY berth_tasks", kind));
		becomes(arena_printf(a, "SELECT error IS NOT NULL AND attempts = 51 FROM tasks WHERE kind = '%s'", kind),
		    "t", "and again");
		is_str(sql(arena_printf(a, "SELECT run_at - now() BETWEEN interval '%s s' AND interval '%s s'"
		    " FROM tasks WHERE kind = '%s'", cases[i].least, cases[i].most, kind)), "t", kind);
	}
}

/* A worker that dies leaves the time of the next attempt as the claim has set it. */
static void
test_claim_patience(struct db *db)
{
	sql("INSERT INTO tasks (kind, period, attempts) VALUES ('x', 10, 50), ('y', 86400, 50), ('z', NULL, 50)");
	ok(claim(db, "x", "one").id > 0 && claim(db, "y", "one").id > 0 && claim(db, "z", "one").id > 0, "claimed");
	is_str(sql("SELECT string_agg(kind || round(extract(epoch FROM run_at - now()) / 10) * 10, ' '"
	           " ORDER BY kind) FROM tasks"), "x30 y900 z900", "a task with a period waits no longer than that");
	sql("DELETE FROM tasks");
}

static void
test_loop(void)
{
	pid_t pid = start_loop();
	int status = -1;

	becomes("SELECT count(*) FROM tasks WHERE done_at IS NOT NULL", "2",
	    "tasks with a period are there, and are done");
	is_str(sql("SELECT string_agg(kind || ' ' || coalesce(node, '-') || ' ' || period || ' ' || runs,"
	           " ', ' ORDER BY kind) FROM tasks WHERE done_at IS NOT NULL"),
	    "comes_round - 3600 3, each_node here 60 3", "in three steps each");
	is_str(sql("SELECT bool_and(progress IS NULL) FROM tasks"), "t", "at their beginning again");
	sql("INSERT INTO tasks (kind) VALUES ('steps'); NOTIFY berth_tasks");
	becomes("SELECT count(*) FROM tasks WHERE kind = 'steps'", "0", "one without is done as well");
	sql("INSERT INTO tasks (kind, args) VALUES ('fails', '{\"n\": 1}'); NOTIFY berth_tasks");
	becomes("SELECT error FROM tasks WHERE kind = 'fails'", "no luck with {\"n\": 1}", "one fails");
	is_str(sql("SELECT dead_at IS NULL AND attempts = 1 FROM tasks WHERE kind = 'fails'"), "t",
	    "and has another attempt");
	sql("UPDATE tasks SET run_at = now() WHERE kind = 'fails'; NOTIFY berth_tasks");
	becomes("SELECT dead_at IS NOT NULL FROM tasks WHERE kind = 'fails'", "t",
	    "after as many as its kind has, it is dead");
	test_patience();
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ends when it is told to");
}

int
main(void)
{
	struct db *db, *listener;

	own_database_start("task");
	db = db_new(conninfo, TIMEOUT_MS);
	listener = db_new(conninfo, TIMEOUT_MS);
	test_claim(db, listener);
	test_delay_and_node(db);
	test_key(db);
	test_claims(db);
	test_claim_patience(db);
	test_same_pid(db, listener);
	test_schedule(db);
	db_free(listener);
	db_free(db);
	test_loop();
	own_database_end();
	return tap_done();
}
