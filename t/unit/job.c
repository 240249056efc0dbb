/*
 * store/job and jobs/loop with a real server: how jobs come in, are claimed by one, come back and
 * die.  The kinds are this test's own, in place of those of jobs/kinds.c.
 */

#include "store/job.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/clock.h"
#include "jobs/job.h"
#include "jobs/loop.h"
#include "tap.h"

enum { TIMEOUT_MS = 10000, PATIENCE_S = 30 };

static struct arena *a;
static struct err err;
static PGconn *super; /* the test's own connection to its database */
static char conninfo[512];

/* ---- the kinds: they write down that they were there ---- */

static int
fails_run(struct job_ctx *ctx, const struct job *job, struct err *e)
{
	(void)ctx;
	return err_internal(e, 500, "no luck with %s", job->args);
}

/* Three runs until it is done, each of which goes on where the last one was. */
static int
steps_run(struct job_ctx *ctx, const struct job *job, struct err *e)
{
	long step =
	    job->progress == NULL ? 1 : strtol(strchr(job->progress, ':') + 1, NULL, 10) + 1;

	(void)e;
	job_note(ctx, "step %ld", step);
	if (step < 3)
		job_again(ctx, arena_printf(ctx->arena, "{\"step\": %ld}", step));
	return 0;
}

const struct job_kind job_kinds[] = {
	{ .name = "fails", .max_attempts = 2, .run = fails_run },
	{ .name = "steps", .run = steps_run },
	{ .name = "comes_round", .period = 3600, .run = steps_run },
	{ .name = "each_node", .period = 60, .each_node = true, .run = steps_run },
};
const size_t job_nkinds = sizeof(job_kinds) / sizeof(*job_kinds);

/* ---- the database ---- */

/* The first cell of the first row, in the arena; "" where there is none. */
static const char *
sql(const char *text)
{
	PGresult *res = PQexec(super, text);
	ExecStatusType status = PQresultStatus(res);
	const char *cell = "";

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		printf("Bail out! %s: %s\n", text, PQerrorMessage(super));
		exit(1);
	}
	if (PQntuples(res) > 0)
		cell = arena_strdup(a, PQgetvalue(res, 0, 0));
	PQclear(res);
	return cell;
}

static PGconn *
connect_to(const char *socket_dir, const char *database)
{
	PGconn *pg =
	    PQconnectdb(arena_printf(a, "host=%s dbname=%s user=postgres", socket_dir, database));

	if (PQstatus(pg) != CONNECTION_OK) {
		printf("Bail out! %s\n", PQerrorMessage(pg));
		exit(1);
	}
	return pg;
}

static void
start(const char *socket_dir, const char *name)
{
	super = connect_to(socket_dir, "postgres");
	sql(arena_printf(a, "CREATE DATABASE %s TEMPLATE berth_template OWNER berth_owner", name));
	sql(arena_printf(a, "GRANT CONNECT ON DATABASE %s TO berth", name));
	PQfinish(super);
	super = connect_to(socket_dir, name);
	sql("SET client_min_messages = error");
	snprintf(conninfo, sizeof(conninfo), "host=%s dbname=%s user=berth", socket_dir, name);
}

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

static struct job
claim(struct db *db, const char *kind, const char *node)
{
	const struct job_claim c = { &kind, 1, node, "test", 300 };
	struct job job;

	if (job_claim(db, a, &c, &job, &err) == -1)
		printf("# %s\n", err.detail);
	return job;
}

/* ---- store/job ---- */

static int
add_body(struct db *db, void *arg, struct err *e)
{
	const bool *commit = arg;
	const struct job_new job = { .kind = "x", .args = "{\"n\": 1}" };

	if (job_add(db, a, &job, e) == -1)
		return -1;
	return *commit ? 0 : err_internal(e, 500, "not this time");
}

/* Is something notified within the time that it could take? */
static bool
is_notified(struct db *db, int ms)
{
	struct pollfd p = { .fd = db_fd(db), .events = POLLIN };

	if (db_notified(db))
		return true;
	if (poll(&p, 1, ms) == 1)
		db_idle_event(db);
	return db_notified(db);
}

static void
test_add(struct db *db, struct db *listener)
{
	bool unknown, commit = false;
	struct job job;

	is_int(job_listen(listener, a, &err), 0, "somebody listens");
	ok(!db_notified(listener), "to nothing yet");
	is_int(db_transaction(db, add_body, &commit, &unknown, &err), -1, "a transaction is rolled back");
	is_str(sql("SELECT count(*) FROM jobs"), "0", "and its job with it");
	ok(!is_notified(listener, 50), "of which nobody learns");
	commit = true;
	is_int(db_transaction(db, add_body, &commit, &unknown, &err), 0, "one is committed");
	ok(is_notified(listener, 5000), "and makes itself heard");
	ok(!db_notified(listener), "once");
	job = claim(db, "y", "one");
	is_int(job.id, 0, "there is none of another kind");
	job = claim(db, "x", "one");
	ok(job.id > 0, "it is claimed");
	is_str(job.kind, "x", "its kind");
	is_str(job.args, "{\"n\": 1}", "what it is about");
	is_str(job.progress, NULL, "it is at its beginning");
	is_int(job.attempts, 1, "for the first time");
	ok(!job.periodic, "without a period");
	is_int(claim(listener, "x", "one").id, 0, "by nobody else");
	is_int(job_done(db, &job, &err), 0, "it is done");
	is_str(sql("SELECT count(*) FROM jobs"), "0", "and gone");
}

static void
test_delay_and_node(struct db *db)
{
	const struct job_new later = { .kind = "x", .delay = 3600 };
	struct job job;

	is_int(job_add(db, a, &later, &err), 0, "for later");
	is_int(claim(db, "x", "one").id, 0, "is not due");
	sql("UPDATE jobs SET run_at = now(), node = 'two'");
	is_int(claim(db, "x", "one").id, 0, "nor for this node");
	job = claim(db, "x", "two");
	ok(job.id > 0, "but for that");
	is_int(job_done(db, &job, &err), 0, "done");
}

static void
test_key(struct db *db)
{
	const struct job_new keyed = { .kind = "x", .key = "k", .delay = 60 };
	const struct job_new sooner = { .kind = "x", .key = "k" };
	const struct job_new other = { .kind = "x", .key = "l", .delay = 60 };
	struct job job, second;

	is_int(job_add(db, a, &keyed, &err), 0, "one with a key");
	is_int(job_add(db, a, &keyed, &err), 0, "and the same again");
	is_int(job_add(db, a, &other, &err), 0, "and another");
	is_str(sql("SELECT count(*) FROM jobs"), "2", "are two");
	is_int(job_add(db, a, &sooner, &err), 0, "the same, sooner");
	job = claim(db, "x", "one");
	ok(job.id > 0, "is due at once");
	is_int(job_add(db, a, &sooner, &err), 0, "asked for while it runs");
	is_int(claim(db, "x", "one").id, 0, "it waits for itself");
	is_int(job_done(db, &job, &err), 0, "done");
	second = claim(db, "x", "one");
	is_int(second.id, job.id, "and runs once more");
	is_int(job_done(db, &second, &err), 0, "done again");
	is_str(sql("SELECT count(*) FROM jobs WHERE key = 'k'"), "0", "is gone");
	sql("DELETE FROM jobs");
}

static void
test_claims(struct db *db)
{
	const struct job_new new = { .kind = "x" };
	struct db *dies = db_new(conninfo, TIMEOUT_MS);
	struct job first, second;

	is_int(job_add(db, a, &new, &err), 0, "a job");
	first = claim(dies, "x", "one");
	ok(first.id > 0, "is claimed");
	db_free(dies);
	/* the server needs a moment to notice */
	for (int i = 0; i < 500 && (second = claim(db, "x", "one")).id == 0; i++)
		(void)poll(NULL, 0, 10);
	is_int(second.id, first.id, "and by another when the first is gone");
	is_int(second.attempts, 2, "for the second time");
	is_int(job_done(db, &first, &err), 0, "what the first says");
	is_str(sql("SELECT count(*) FROM jobs"), "1", "counts no more");
	is_int(job_fail(db, a, &first, &(struct job_failure) { "x", 1, true, false }, &err), 0, "nor that it failed");
	is_str(sql("SELECT dead_at IS NULL FROM jobs"), "t", "it is not dead");
	sql("UPDATE jobs SET claimed_until = now() - interval '1 s'");
	is_int(claim(db, "x", "one").id, 0, "should the second be gone too, it waits");
	sql("UPDATE jobs SET run_at = now()");
	first = claim(db, "x", "one");
	is_int(first.attempts, 3, "a claim does not last for ever");
	is_int(job_put_back(db, a, &first, "{\"at\": 5}", &err), 0, "there is more to do");
	second = claim(db, "x", "one");
	is_int(second.attempts, 1, "which is no failure");
	is_str(second.progress, "{\"at\": 5}", "and goes on from there");
	is_int(job_fail(db, a, &second, &(struct job_failure) { "why", 60, false, false }, &err), 0, "it fails");
	is_int(claim(db, "x", "one").id, 0, "and waits");
	is_str(sql("SELECT error || progress::text FROM jobs"), "why{\"at\": 5}", "where it is");
	sql("UPDATE jobs SET run_at = now()");
	second = claim(db, "x", "one");
	is_int(job_fail(db, a, &second, &(struct job_failure) { "enough", 60, true, false }, &err), 0, "it dies");
	sql("UPDATE jobs SET run_at = now()");
	is_int(claim(db, "x", "one").id, 0, "nobody touches it");
	sql("DELETE FROM jobs");
}

/* ---- the loop ---- */

static pid_t
start_loop(void)
{
	static const struct settings s = { .node = "here", .log_level = "error",
		.worker_log_file = "/dev/null", .worker_pid_file = "", .database = conninfo,
		.database_timeout = 10 };
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int status = job_loop_log_open(&s) == -1 ? 1 : job_loop_run("/nonexistent", &s);

		/* what belongs to the parent is not ours to free */
		_exit(status);
	}
	return pid;
}

static void
test_loop(void)
{
	pid_t pid = start_loop();
	int status = -1;

	becomes("SELECT count(*) FROM jobs WHERE done_at IS NOT NULL", "2",
	    "jobs with a period are there, and are done");
	is_str(sql("SELECT string_agg(kind || ' ' || coalesce(node, '-') || ' ' || period || ' ' || runs,"
	           " ', ' ORDER BY kind) FROM jobs"),
	    "comes_round - 3600 3, each_node here 60 3", "in three steps each");
	is_str(sql("SELECT bool_and(progress IS NULL) FROM jobs"), "t", "at their beginning again");
	sql("INSERT INTO jobs (kind) VALUES ('steps'); NOTIFY berth_jobs");
	becomes("SELECT count(*) FROM jobs WHERE kind = 'steps'", "0", "one without is done as well");
	sql("INSERT INTO jobs (kind, args) VALUES ('fails', '{\"n\": 1}'); NOTIFY berth_jobs");
	becomes("SELECT error FROM jobs WHERE kind = 'fails'", "no luck with {\"n\": 1}", "one fails");
	is_str(sql("SELECT dead_at IS NULL AND attempts = 1 FROM jobs WHERE kind = 'fails'"), "t",
	    "and has another attempt");
	sql("UPDATE jobs SET run_at = now() WHERE kind = 'fails'; NOTIFY berth_jobs");
	becomes("SELECT dead_at IS NOT NULL FROM jobs WHERE kind = 'fails'", "t",
	    "after as many as its kind has, it is dead");
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ends when it is told to");
}

int
main(void)
{
	const char *dir = getenv("BERTH_TEST_DIR");
	struct db *db, *listener;
	char name[32];

	if (dir == NULL) {
		printf("1..0 # skip t/run has not started PostgreSQL\n");
		return 0;
	}
	a = arena_new();
	snprintf(name, sizeof(name), "job_%ld", (long)getpid());
	start(arena_printf(a, "%s/pg/sock", dir), name);
	db = db_new(conninfo, TIMEOUT_MS);
	listener = db_new(conninfo, TIMEOUT_MS);
	test_add(db, listener);
	test_delay_and_node(db);
	test_key(db);
	test_claims(db);
	db_free(listener);
	db_free(db);
	test_loop();
	PQfinish(super);
	super = connect_to(arena_printf(a, "%s/pg/sock", dir), "postgres");
	sql(arena_printf(a, "DROP DATABASE %s WITH (FORCE)", name));
	PQfinish(super);
	arena_free(a);
	return tap_done();
}
