#include "pool/pool.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/slots.h"
#include "pool/backlog.h"
#include "pool/generation.h"
#include "pool/handover.h"
#include "pool/memory.h"

enum {
	TICK = CLOCK_SECOND / 4, /* how often the scoreboard is looked at */
	TICK_STARTING = CLOCK_SECOND / 50,
	WEIGH_EVERY = 5 * CLOCK_SECOND,
	CRASH_WINDOW = 30 * CLOCK_SECOND,
	CRASHES_A_WORKER = 5
};

struct pool {
	const struct pool_app *app;
	const char *config_path;
	const struct listeners *listeners;
	int program; /* of the children */
	struct metrics *metrics;
	int diag; /* backlog_open(); -1: the kernel does not tell how long the queues are */
	int64_t weigh_us; /* when to look at the memory of the children again */
	int slots; /* base/slots.h, of all workers */
	int memory; /* of struct pool_shared; -1: none */
	struct generation *all;
	struct generation *serving;
	struct generation *starting; /* NULL: no reload is going on */
	bool outdated; /* a later file than that of `starting` was refused */
	unsigned generations; /* ever begun */
	int64_t crashes; /* since a worker became ready, within CRASH_WINDOW of the first */
	int64_t crashing_since_us;
	bool was_ready; /* all first workers have been */
	bool stopping;
	int status;
};

int
pool_log_open(const struct settings *s)
{
	enum log_level level = LOG_INFO;

	/* it was checked when it was read */
	(void)log_level_named(s->log_level, &level);
	return log_open("berth-fcgi", s->log_file, level);
}

static int
child_start(void *arg, const struct generation *g, size_t child, pid_t *pid)
{
	const struct pool *pool = arg;
	bool keeper = generation_is_keeper(g, child);
	enum worker_kind kind = generation_kind(g, child);
	struct log_target log = log_target();
	struct handover h = {
		.role = keeper ? ROLE_KEEPER : kind == WORKER_WRITE ? ROLE_WRITER : ROLE_READER,
		.master = (int)getpid(),
		.number = (int)child,
		.children = (int)g->n,
		.log_level = (int)log.level,
		.settings_fd = g->settings_fd,
		.scoreboard_fd = g->scoreboard_fd,
		.metrics_fd = metrics_fd(pool->metrics),
		.slots_fd = pool->slots,
		.memory_fd = pool->memory,
		.listen_fd = keeper ? -1 : pool->listeners->fd[kind],
		.log_fd = log.fd,
		.log_path = log.path,
	};

	return handover_spawn(pool->program, &h, pid);
}

/* One more, by the master. */
static void
pool_count(const struct pool *pool, size_t family, size_t value, size_t value2)
{
	struct meter meter = metrics_meter_master(pool->metrics);

	meter_count(&meter, family, value, value2);
}

/*
 * Counts a reload, and shows whether the pool now runs with the last configuration that it was to take.  Call
 * it before you log the result: a watcher of the log finds the metrics up to date.
 */
static void
pool_count_reload(const struct pool *pool, enum reload_result result)
{
	struct meter meter = metrics_meter_master(pool->metrics);

	pool_count(pool, METRIC_RELOADS, result, 0);
	meter_set(&meter, METRIC_RELOAD_OK, 0, result == RELOAD_DONE && !pool->outdated);
}

static void
pool_show_workers(const struct pool *pool)
{
	struct meter meter = metrics_meter_master(pool->metrics);
	int64_t n[WORKER__KINDS][WORKER__STATES] = { 0 }, deferred[WORKER__KINDS] = { 0 };

	for (const struct generation *g = pool->all; g != NULL; g = g->next)
		generation_count(g, n, deferred);
	for (size_t i = 0; i < (size_t)WORKER__KINDS * WORKER__STATES; i++)
		meter_set(&meter, METRIC_WORKERS, i, n[i / WORKER__STATES][i % WORKER__STATES]);
	for (size_t kind = 0; kind < WORKER__KINDS; kind++)
		meter_set(&meter, METRIC_DEFERRED, kind, deferred[kind]);
}

static void
pool_show_queues(const struct pool *pool)
{
	struct meter meter = metrics_meter_master(pool->metrics);

	for (size_t kind = 0; pool->diag != -1 && kind < WORKER__KINDS; kind++) {
		int64_t waiting = METRIC_UNSET, most = METRIC_UNSET;

		if (pool->listeners->fd[kind] != -1 &&
		    backlog_read(pool->diag, pool->listeners->fd[kind], &waiting, &most) == -1)
			continue;
		meter_set(&meter, METRIC_SOCKET_QUEUE, kind, waiting);
		meter_set(&meter, METRIC_SOCKET_QUEUE_LIMIT, kind, most);
	}
}

/* It takes a file of each process, so not at each tick. */
static void
pool_show_memory(struct pool *pool, int64_t now)
{
	struct meter meter = metrics_meter_master(pool->metrics);
	int64_t bytes[WORKER__KINDS + 1] = { 0 };

	if (now < pool->weigh_us)
		return;
	pool->weigh_us = now + WEIGH_EVERY;
	for (const struct generation *g = pool->all; g != NULL; g = g->next) {
		for (size_t i = 0; i < g->n; i++) {
			size_t kind = generation_is_keeper(g, i) ? (size_t)WORKER__KINDS : (size_t)generation_kind(g, i);

			if (g->children[i].pid != 0)
				bytes[kind] += memory_of(g->children[i].pid);
		}
	}
	for (size_t i = 0; i < sizeof(bytes) / sizeof(*bytes); i++)
		meter_set(&meter, METRIC_MEMORY, i, bytes[i]);
}

static struct generation *
pool_begin(struct pool *pool, struct arena *arena, const struct settings *settings, struct err *err)
{
	bool keeper = pool->app->keeps != NULL && pool->app->keeps(settings);
	bool writers = pool->listeners->fd[WORKER_WRITE] != -1;
	struct generation *g = generation_new(++pool->generations, arena, settings, writers, keeper, err);

	if (g == NULL)
		return NULL;
	g->next = pool->all;
	pool->all = g;
	return g;
}

static void
pool_stop(struct pool *pool, int status)
{
	if (pool->stopping)
		return;
	pool->stopping = true;
	pool->status = status;
	pool->starting = NULL;
	for (struct generation *g = pool->all; g != NULL; g = g->next)
		generation_drain(g);
}

static void
reload_drop(struct pool *pool, const char *why)
{
	pool_count_reload(pool, RELOAD_FAILED);
	log_error("reload failed: %s; the old workers keep running", why);
	if (pool->starting != NULL)
		generation_drain(pool->starting);
	pool->starting = NULL;
}

/* The new workers of a reload cannot be made, or do not serve in time: the old ones go on, with their log. */
static void
reload_abandon(struct pool *pool, const char *why)
{
	reload_drop(pool, why);
	if (pool_log_open(pool->serving->settings) == -1)
		log_error("cannot reopen the old log: %s", strerrordesc_np(errno));
}

static void
reload_finish(struct pool *pool)
{
	pool_count_reload(pool, RELOAD_DONE);
	log_info("reloaded: generation %u serves, %u drains", pool->starting->number,
	    pool->serving->number);
	generation_drain(pool->serving);
	pool->serving = pool->starting;
	pool->starting = NULL;
}

/* What belongs to the master and so stays as it was. */
static void
warn_fixed(const struct settings *old, const struct settings *new)
{
	if (strcmp(old->socket, new->socket) != 0 ||
	    strcmp(old->write_socket, new->write_socket) != 0 || old->socket_mode != new->socket_mode ||
	    strcmp(old->socket_owner, new->socket_owner) != 0)
		log_warn("a change of socket, write_socket, socket_mode or socket_owner needs a "
		    "restart");
	if (strcmp(old->pid_file, new->pid_file) != 0)
		log_warn("a change of pid_file needs a restart");
}

static void
reload_refuse(struct pool *pool, const char *why)
{
	pool->outdated = true;
	pool_count_reload(pool, RELOAD_FAILED);
	log_error("reload refused: %s", why);
}

static void
pool_reload(struct pool *pool)
{
	struct arena *arena = arena_new();
	struct settings *settings = arena_alloc(arena, sizeof(*settings));
	struct err err = { 0 };

	if (settings_load(arena, pool->config_path, settings, &err) == -1) {
		reload_refuse(pool, err.detail);
		arena_free(arena);
		return;
	}
	warn_fixed(pool->serving->settings, settings);
	/* before the workers start, which inherit it */
	if (pool_log_open(settings) == -1) {
		reload_refuse(pool, arena_printf(arena, "%s: %s", settings->log_file, strerrordesc_np(errno)));
		arena_free(arena);
		return;
	}
	/* the log stays that of the reload that begins */
	if (pool->starting != NULL)
		reload_drop(pool, "another reload came before it finished");
	pool->outdated = false;
	pool->starting = pool_begin(pool, arena, settings, &err);
	if (pool->starting == NULL)
		reload_abandon(pool, err.detail);
}

static void
pool_reopen_log(const struct pool *pool)
{
	log_reopen();
	for (const struct generation *g = pool->all; g != NULL; g = g->next)
		generation_signal(g, SIGUSR1);
}

static void
signal_handle(struct pool *pool, int sig)
{
	if (sig == SIGTERM || sig == SIGINT) {
		log_info("stopping");
		pool_stop(pool, 0);
	} else if (sig == SIGHUP && !pool->stopping) {
		pool_reload(pool);
	} else if (sig == SIGUSR1) {
		pool_reopen_log(pool);
	}
}

/* Counts a crash; stops the pool where they come in a loop. */
static void
crash_count(struct pool *pool, bool was_ready)
{
	int64_t now = clock_us();

	if (was_ready || now - pool->crashing_since_us > CRASH_WINDOW)
		pool->crashes = 0;
	if (pool->crashes == 0)
		pool->crashing_since_us = now;
	pool->crashes++;
	if (pool->crashes <= CRASHES_A_WORKER * (int64_t)pool->serving->nworkers)
		return;
	if (!pool->stopping)
		log_error("workers crash in a loop before they can serve: giving up");
	pool_stop(pool, 1);
}

static void
child_reap(struct pool *pool, pid_t pid, int status)
{
	static const enum worker_end ends[] = {
		[CHILD_RETIRED] = WORKER_RETIRED,
		[CHILD_CRASHED] = WORKER_CRASHED,
		[CHILD_KILLED] = WORKER_KILLED,
	};
	bool was_ready = false;
	size_t child;

	for (struct generation *g = pool->all; g != NULL; g = g->next) {
		enum child_end end = generation_reap(g, pid, status, &child, &was_ready);

		if (end == CHILD_NOT_MINE)
			continue;
		pool_count(pool, METRIC_WORKER_ENDS,
		    generation_is_keeper(g, child) ? WORKER__KINDS : generation_kind(g, child), ends[end]);
		/* the pool serves without a keeper */
		if (generation_is_keeper(g, child))
			return;
		if (end != CHILD_RETIRED && g == pool->starting)
			reload_abandon(pool, "a new worker crashed");
		else if (end != CHILD_RETIRED && g == pool->serving)
			crash_count(pool, was_ready);
		return;
	}
}

/* Frees the generations that have drained. */
static void
pool_sweep(struct pool *pool)
{
	struct generation **link = &pool->all;

	while (*link != NULL) {
		struct generation *g = *link;

		if (g->draining && generation_is_empty(g)) {
			*link = g->next;
			generation_free(g);
		} else {
			link = &g->next;
		}
	}
}

static void
pool_tick(struct pool *pool)
{
	const struct generation_start start = { child_start, pool };
	int64_t now = clock_us();

	for (struct generation *g = pool->all; g != NULL; g = g->next) {
		generation_watch(g);
		generation_spawn(g, &start);
	}
	if (pool->starting != NULL && generation_is_ready(pool->starting))
		reload_finish(pool);
	else if (pool->starting != NULL && now > pool->starting->deadline_us)
		reload_abandon(pool, "the new workers are not ready in time");
	if (!pool->was_ready && !pool->stopping && generation_is_ready(pool->serving)) {
		pool->was_ready = true;
		log_info("ready: %zu workers, %zu write workers", pool->serving->nreaders,
		    pool->serving->nworkers - pool->serving->nreaders);
	}
	pool_sweep(pool);
	pool_show_workers(pool);
	pool_show_queues(pool);
	pool_show_memory(pool, now);
}

/* How long nothing has to be looked at, unless a signal comes. */
static struct timespec
pool_patience(const struct pool *pool)
{
	int64_t now = clock_us();
	int64_t wait = pool->starting != NULL || !pool->was_ready ? TICK_STARTING : TICK;

	for (const struct generation *g = pool->all; g != NULL; g = g->next) {
		int64_t due = generation_due_us(g);

		if (due < now + wait)
			wait = due > now ? due - now : 0;
	}
	return (struct timespec) { .tv_sec = 0, .tv_nsec = (long)(wait * 1000) };
}

static void
signals_block(sigset_t *set)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(set, signals[i]);
	/* taken one by one, where nothing is in the middle of anything; workers inherit this */
	sigprocmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Until the last worker has ended. */
static void
pool_loop(struct pool *pool, const sigset_t *signals)
{
	while (pool->all != NULL) {
		struct timespec patience = pool_patience(pool);
		int sig = sigtimedwait(signals, NULL, &patience);
		int status;
		pid_t pid;

		if (sig != -1)
			signal_handle(pool, sig);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			child_reap(pool, pid, status);
		pool_tick(pool);
	}
}

/* Makes what all processes share.  -1: errno. */
static int
pool_share(struct pool *pool)
{
	const struct pool_app *app = pool->app;

	pool->metrics = metrics_new(app->router, app->families, app->nfamilies);
	pool->slots = slots_new();
	pool->program = handover_program();
	pool->diag = backlog_open();
	pool->memory = -1;
	if (pool->metrics == NULL || pool->slots == -1 || pool->program == -1)
		return -1;
	if (app->shared_size == 0)
		return 0;
	pool->memory = memfd_create("shared", MFD_CLOEXEC);
	return pool->memory == -1 ? -1 : ftruncate(pool->memory, (off_t)app->shared_size);
}

int
pool_run(const struct pool_app *app, const char *config_path, const struct settings *settings,
    const struct listeners *listeners)
{
	struct pool pool = { .app = app, .config_path = config_path, .listeners = listeners };
	struct err err = { 0 };
	sigset_t signals;

	signals_block(&signals);
	if (pool_share(&pool) == -1) {
		log_error("cannot start: no shared memory, or no /proc: %s", strerrordesc_np(errno));
		return 1;
	}
	if (listeners->fd[WORKER_WRITE] == -1)
		log_warn("one socket was passed: there are no write workers, and writes can keep all "
			 "workers busy");
	pool.serving = pool_begin(&pool, NULL, settings, &err);
	if (pool.serving == NULL) {
		log_error("cannot start workers: %s", err.detail);
		pool.status = 1;
	} else {
		pool_tick(&pool);
		pool_loop(&pool, &signals);
		log_info("stopped");
	}
	close(pool.program);
	if (pool.diag != -1)
		close(pool.diag);
	if (pool.memory != -1)
		close(pool.memory);
	close(pool.slots);
	metrics_free(pool.metrics);
	return pool.status;
}
