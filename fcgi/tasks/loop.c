#include "tasks/loop.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "store/blob/store_identity.h"
#include "store/blob/store_node.h"
#include "tasks/task.h"

enum {
	POLL_S = 5, /* how often tasks are looked for when none is told of */
	LOOK_MS = 900, /* how often a kind is asked whether it is due: within a second it is run */
	SLICE_S = 20, /* what one run may take before others have their turn */
	CLAIM_S = 300, /* far more: whoever claimed a task so long ago no longer works on it */
	SCHEDULE_S = 600, /* how often it looks whether all tasks with a period are there */
	AWAY_FIRST_MS = 250, /* before the database is asked again, and twice as long each time */
	AWAY_MAX_MS = 15000,
	SCHEMA_MS = 1000, /* before a schema that does not fit is read again */
	COMPLAIN_S = 60, /* between two log lines about it */
	RETRY_FIRST_S = 5, /* before a task that has failed is tried again, and twice as long each time */
	RETRY_MAX_S = 900,
	RETRY_PERIODIC_S = 30 /* a task with a shorter period waits up to that long */
};

enum { MS_US = 1000 };

struct loop {
	const char *config_path;
	struct arena *arena; /* of settings that were read anew; NULL: they are the caller's */
	const struct settings *settings;
	struct db *db;
	struct store_identity identity;
	uint64_t listening; /* which of the connections, counted by db_connections(), listens */
	int64_t schedule_us; /* when to look whether all tasks with a period are there */
	int64_t poll_us; /* when tasks are to be looked for */
	int64_t look_us; /* when kinds are to be asked whether they are due */
	int64_t complain_us; /* the next log line about a schema that does not fit */
	int away_ms; /* how long to wait for the database; 0: it is there */
	int signal_fd;
	char node[STORE_NODE_NAME_SIZE];
	char who[2 * STORE_NODE_NAME_SIZE];
	const char **kinds;
	const char **first; /* those with is_due() */
	size_t nfirst;
	bool stopping;
	bool failed;
};

/* Asks the kinds that come first, where it is time; *kind: one that is due, or NULL. */
static int
look(struct db *db, struct arena *a, int64_t *look_us, const char **kind, struct err *err)
{
	bool due = false;

	*kind = NULL;
	if (clock_us() < *look_us)
		return 0;
	*look_us = clock_us() + (int64_t)LOOK_MS * MS_US;
	for (size_t i = 0; i < task_nkinds && !due; i++) {
		if (task_kinds[i].is_due != NULL && task_kinds[i].is_due(db, a, &due, err) == -1)
			return -1;
		*kind = due ? task_kinds[i].name : NULL;
	}
	return 0;
}

/* Is another kind due that comes first?  Then the loop is to ask once more, at once. */
static bool
is_another_due(const struct task_ctx *ctx)
{
	struct err ignored = { 0 };
	const char *kind = NULL;
	struct arena *a;
	bool failed;

	if (ctx->look_us == NULL || clock_us() < *ctx->look_us || !db_is_idle(ctx->db))
		return false;
	a = arena_new();
	/* the task itself will find what is wrong */
	failed = look(ctx->db, a, ctx->look_us, &kind, &ignored) == -1;
	arena_free(a);
	if (failed || kind == NULL)
		return false;
	*ctx->look_us = 0;
	return true;
}

bool
task_must_stop(const struct task_ctx *ctx)
{
	struct pollfd p = { .fd = ctx->signal_fd, .events = POLLIN };

	return clock_us() >= ctx->until_us || poll(&p, 1, 0) == 1 || is_another_due(ctx);
}

void
task_again(struct task_ctx *ctx, const char *progress)
{
	ctx->again = true;
	ctx->progress = progress;
}

void
task_begin_anew(struct task_ctx *ctx)
{
	ctx->anew = true;
}

void
task_hold(struct task_ctx *ctx, int64_t seconds)
{
	task_begin_anew(ctx);
	ctx->hold_s = seconds;
}

void
task_note(struct task_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ctx->note, sizeof(ctx->note), fmt, ap);
	va_end(ap);
}

int
task_loop_log_open(const struct settings *s)
{
	enum log_level level = LOG_INFO;

	/* it was checked when it was read */
	(void)log_level_named(s->log_level, &level);
	return log_open("berth-worker", s->worker_log_file, level);
}

/* What depends on the settings. */
static void
begin_with(struct loop *l, struct arena *arena, const struct settings *s)
{
	db_free(l->db);
	arena_free(l->arena);
	l->arena = arena;
	l->settings = s;
	l->db = db_new(s->database_direct, s->database_timeout * 1000);
	l->identity = (struct store_identity) { 0 };
	l->listening = 0;
	l->away_ms = 0;
	store_node_name(s->node, l->node);
	snprintf(l->who, sizeof(l->who), "%s, pid %d", l->node, (int)getpid());
}

static void
reload(struct loop *l)
{
	struct arena *arena = arena_new();
	struct settings *settings = arena_alloc(arena, sizeof(*settings));
	struct err err = { 0 };

	if (settings_load(arena, l->config_path, settings, &err) == -1) {
		log_error("reload refused: %s", err.detail);
		arena_free(arena);
		return;
	}
	if (task_loop_log_open(settings) == -1) {
		log_error("reload refused: %s: %s", settings->worker_log_file,
		    strerrordesc_np(errno));
		arena_free(arena);
		return;
	}
	if (strcmp(l->settings->worker_pid_file, settings->worker_pid_file) != 0)
		log_warn("a change of worker_pid_file needs a restart");
	begin_with(l, arena, settings);
	log_info("reloaded");
}

static void
take_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(l);
		else if (info.ssi_signo != SIGUSR1)
			l->stopping = true;
		else
			log_reopen();
	}
}

/* Waits for a signal or for something from the database, `ms` milliseconds at most. */
static void
wait_for_news(struct loop *l, int ms)
{
	struct pollfd fds[] = {
		{ .fd = l->signal_fd, .events = POLLIN },
		{ .fd = db_fd(l->db), .events = POLLIN },
	};
	int n = poll(fds, sizeof(fds) / sizeof(*fds), ms);

	if (n > 0 && fds[1].revents != 0)
		db_idle_event(l->db);
}

/* Makes sure that the tasks with a period are there, also if somebody has removed one by mistake. */
static int
schedule(struct loop *l, struct arena *a, struct err *err)
{
	int64_t now = clock_us();

	if (now < l->schedule_us)
		return 0;
	for (size_t i = 0; i < task_nkinds; i++) {
		const struct task_kind *k = &task_kinds[i];

		if (k->period > 0 &&
		    task_schedule(l->db, a, k->name, k->each_node ? l->node : NULL, k->period,
		        err) == -1)
			return -1;
	}
	l->schedule_us = now + (int64_t)SCHEDULE_S * CLOCK_SECOND;
	return 0;
}

/* A new connection listens before it asks for tasks, so that it misses none. */
static int
prepare(struct loop *l, struct arena *a, struct err *err)
{
	if (db_connect(l->db, err) == -1)
		return -1;
	if (db_connections(l->db) == l->listening)
		return schedule(l, a, err);
	if (task_listen(l->db, a, err) == -1)
		return -1;
	l->listening = db_connections(l->db);
	l->schedule_us = l->poll_us = l->look_us = 0;
	return schedule(l, a, err);
}

static const struct task_kind *
kind_named(const char *name)
{
	for (size_t i = 0; i < task_nkinds; i++) {
		if (strcmp(task_kinds[i].name, name) == 0)
			return &task_kinds[i];
	}
	return NULL;
}

/*
 * Seconds to the next attempt: more each time, and not the same for all that failed together.  A task with a
 * period waits about that period at most, so it soon shows that its trouble is over.
 */
static int64_t
retry_delay(const struct task_kind *kind, int64_t attempts)
{
	int64_t s = RETRY_FIRST_S, max = RETRY_MAX_S;

	if (kind->period > 0 && kind->period < max)
		max = kind->period > RETRY_PERIODIC_S ? kind->period : RETRY_PERIODIC_S;
	while (--attempts > 0 && s < max)
		s *= 2;
	if (s > max)
		s = max;
	return s + clock_us() % (s / 4 + 1);
}

static int
max_attempts(const struct task_kind *kind)
{
	return kind->max_attempts > 0 ? kind->max_attempts : TASK_ATTEMPTS;
}

static void
log_task(const struct task *task, const char *result, int64_t us, const char *why)
{
	bool good = strcmp(result, "done") == 0 || strcmp(result, "again") == 0;
	enum log_level level = good ? LOG_INFO : LOG_WARN;
	struct log_line line;

	/* a task with a period that has found nothing to do */
	if (good && task->periodic && why[0] == '\0')
		level = LOG_DEBUG;
	log_begin(&line, level, "task");
	log_int(&line, "id", task->id);
	log_str(&line, "kind", slice_str(task->kind));
	log_str(&line, "result", slice_str(result));
	log_int(&line, "attempt", task->attempts);
	log_ms(&line, "ms", us);
	if (why[0] != '\0')
		log_str(&line, "detail", slice_str(why));
	log_end(&line);
}

/* What becomes of the task that has failed. */
static int
fail(struct loop *l, const struct task_ctx *ctx, const struct task *task, const struct task_kind *kind,
    const char *why, int64_t us, struct err *err)
{
	struct task_failure failure = { .why = why,
		.dead = !task->periodic && task->attempts >= max_attempts(kind),
		.anew = ctx->anew,
		.delay = ctx->hold_s > 0 ? ctx->hold_s : retry_delay(kind, task->attempts) };

	log_task(task, failure.dead ? "dead" : "failed", us, why);
	return task_fail(l->db, ctx->arena, task, &failure, err);
}

/* Does the task have the store that it needs? */
static int
check_store(struct loop *l, struct arena *a, const struct task_kind *kind, struct err *err)
{
	const struct blob_store *store = l->settings->blobs;

	switch (kind->store) {
	case TASK_STORE_READS:
		return store_identity_check(l->db, a, &l->identity, store, true, err);
	case TASK_STORE_REMOVES:
		return store_identity_check_adopted(l->db, a, &l->identity, store, err);
	case TASK_STORE_NOTHING:
		break;
	}
	return 0;
}

static int
run_task(struct loop *l, struct arena *a, const struct task *task, struct err *err)
{
	const struct task_kind *kind = kind_named(task->kind);
	int64_t started = clock_us();
	struct task_ctx ctx = { .settings = l->settings, .node = l->node, .db = l->db,
		.arena = a, .until_us = started + (int64_t)SLICE_S * CLOCK_SECOND,
		.look_us = kind != NULL && kind->is_due == NULL ? &l->look_us : NULL,
		.signal_fd = l->signal_fd };
	struct err why = { 0 };
	int rc;

	assert(kind != NULL);
	/* each worker that ran it has died, so none has noted the failure */
	if (!task->periodic && task->attempts > max_attempts(kind))
		return fail(l, &ctx, task, kind, "each worker that ran it ended before the task was done", 0, err);
	FAULT_POINT("task", kind->name);
	rc = check_store(l, a, kind, &why);
	if (rc == 0)
		rc = kind->run(&ctx, task, &why);
	FAULT_POINT("ran", kind->name);
	assert(db_is_idle(l->db));
	if (rc == -1)
		return fail(l, &ctx, task, kind, why.detail[0] != '\0' ? why.detail : why.pub,
		    clock_us() - started, err);
	log_task(task, ctx.again ? "again" : "done", clock_us() - started, ctx.note);
	if (ctx.again)
		return task_put_back(l->db, a, task, ctx.progress, err);
	return task_done(l->db, a, task, err);
}

/* Is it time to look for a task?  A kind that is due comes before the others.  -1: err. */
static int
await_task(struct loop *l, struct arena *a, bool *is_time, struct err *err)
{
	const char *kind;

	/* libpq has read a notification that came during a task, so poll() does not see it */
	if (db_notified(l->db))
		l->poll_us = 0;
	if (look(l->db, a, &l->look_us, &kind, err) == -1 ||
	    (kind != NULL && task_hasten(l->db, a, kind, err) == -1))
		return -1;
	*is_time = kind != NULL || clock_us() >= l->poll_us;
	return 0;
}

/* One task, if one is due.  1: there was one, 0: there was none, -1: err. */
static int
work(struct loop *l, struct arena *a, struct err *err)
{
	const struct task_claim claim = { .kinds = l->kinds, .nkinds = task_nkinds,
		.first = l->first, .nfirst = l->nfirst, .node = l->node, .who = l->who, .seconds = CLAIM_S };
	struct task task;
	bool is_time;

	if (prepare(l, a, err) == -1 || await_task(l, a, &is_time, err) == -1)
		return -1;
	if (!is_time)
		return 0;
	l->poll_us = 0;
	if (task_claim(l->db, a, &claim, &task, err) == -1)
		return -1;
	if (task.id != 0)
		return run_task(l, a, &task, err) == -1 ? -1 : 1;
	l->poll_us = clock_us() + (int64_t)POLL_S * CLOCK_SECOND;
	return 0;
}

/* The database needs `berth migrate`: reads its schema often, and logs it from time to time. */
static void
await_schema(struct loop *l, const struct err *err)
{
	int64_t now = clock_us();

	if (now >= l->complain_us) {
		log_warn("%s", err->detail);
		l->complain_us = now + (int64_t)COMPLAIN_S * CLOCK_SECOND;
	}
	wait_for_news(l, SCHEMA_MS);
}

/* The database does not answer, or not as it should. */
static void
away(struct loop *l, const struct err *err)
{
	if (db_fatal(l->db)) {
		log_error("cannot work: %s", err->detail);
		l->stopping = l->failed = true;
		return;
	}
	if (db_schema(l->db) > DB_SCHEMA_FITS) {
		await_schema(l, err);
		return;
	}
	log_warn("%s", err->detail);
	l->away_ms = l->away_ms == 0 ? AWAY_FIRST_MS : 2 * l->away_ms;
	if (l->away_ms > AWAY_MAX_MS)
		l->away_ms = AWAY_MAX_MS;
	wait_for_news(l, l->away_ms);
}

static void
turn(struct loop *l)
{
	struct arena *a = arena_new();
	struct err err = { 0 };
	int did = work(l, a, &err);

	arena_free(a);
	if (did == -1) {
		away(l, &err);
		return;
	}
	l->away_ms = 0;
	l->complain_us = 0;
	if (did == 1)
		return;
	if (db_notified(l->db))
		l->poll_us = 0;
	else
		wait_for_news(l, LOOK_MS);
}

static int
signals_open(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
name_kinds(struct loop *l, struct arena *names)
{
	l->kinds = arena_calloc(names, task_nkinds, sizeof(*l->kinds));
	l->first = arena_calloc(names, task_nkinds, sizeof(*l->first));
	for (size_t i = 0; i < task_nkinds; i++) {
		l->kinds[i] = task_kinds[i].name;
		if (task_kinds[i].is_due != NULL)
			l->first[l->nfirst++] = task_kinds[i].name;
	}
}

int
task_loop_run(const char *config_path, const struct settings *settings)
{
	struct loop l = { .config_path = config_path, .signal_fd = signals_open() };
	struct arena *names = arena_new();

	if (l.signal_fd == -1) {
		log_error("cannot create a signalfd: %s; allow the program more open files", strerrordesc_np(errno));
		arena_free(names);
		return 1;
	}
	name_kinds(&l, names);
	begin_with(&l, NULL, settings);
	log_info("ready: node %s", l.node);
	while (!l.stopping) {
		turn(&l);
		take_signals(&l);
	}
	log_info("stopped");
	db_free(l.db);
	arena_free(l.arena);
	arena_free(names);
	close(l.signal_fd);
	return l.failed ? 1 : 0;
}
