#include "pool/generation.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	BACKOFF_MIN = CLOCK_SECOND / 10,
	BACKOFF_MAX = 10 * CLOCK_SECOND,
	/* a child that lived so long, or served anything, has a new reason to crash */
	BACKOFF_FORGIVEN = 10 * CLOCK_SECOND,
	START_PATIENCE = 60 * CLOCK_SECOND,
	/* past request_timeout: the application's own deadlines come first */
	REQUEST_GRACE = 5 * CLOCK_SECOND
};

struct generation *
generation_new(unsigned number, struct arena *arena, const struct settings *settings, bool writers,
    bool keeper, struct err *err)
{
	struct generation *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		err_sys(err, "cannot allocate memory for new workers");
		arena_free(arena);
		return NULL;
	}
	g->number = number;
	g->arena = arena;
	g->settings = settings;
	g->nreaders = (size_t)settings->workers;
	g->nworkers = g->nreaders + (writers ? (size_t)settings->write_workers : 0);
	g->n = g->nworkers + keeper;
	g->deadline_us = clock_us() + START_PATIENCE;
	g->settings_fd = -1;
	g->children = calloc(g->n, sizeof(*g->children));
	g->slots = scoreboard_new(g->n, &g->scoreboard_fd);
	if (g->children == NULL || g->slots == NULL)
		err_sys(err, "cannot create shared memory for new workers");
	else if (settings_save(settings, &g->settings_fd, err) == 0)
		return g;
	generation_free(g);
	return NULL;
}

void
generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	if (g->slots != NULL) {
		scoreboard_free(g->slots, g->n);
		close(g->scoreboard_fd);
	}
	if (g->settings_fd != -1)
		close(g->settings_fd);
	free(g->children);
	arena_free(g->arena);
	free(g);
}

static void
child_back_off(struct child *c, int64_t now)
{
	c->backoff_us = c->backoff_us == 0 ? BACKOFF_MIN : c->backoff_us * 2;
	if (c->backoff_us > BACKOFF_MAX)
		c->backoff_us = BACKOFF_MAX;
	c->restart_us = now + c->backoff_us;
}

bool
generation_is_keeper(const struct generation *g, size_t child)
{
	return child == g->nworkers;
}

/* What the log calls the child, before its pid. */
static const char *
child_name(const struct generation *g, size_t i)
{
	return generation_is_keeper(g, i) ? GENERATION_KEEPER : "worker";
}

static void
child_spawn(struct generation *g, size_t i, const struct generation_start *start, int64_t now)
{
	struct child *c = &g->children[i];

	slot_start(&g->slots[i]);
	if (start->fn(start->arg, g, i, &c->pid) == -1) {
		log_error("cannot start %s: %s", generation_is_keeper(g, i) ? GENERATION_KEEPER : "a worker",
		    strerrordesc_np(errno));
		c->pid = 0;
		child_back_off(c, now);
		return;
	}
	c->started_us = now;
	c->killed = false;
}

void
generation_spawn(struct generation *g, const struct generation_start *start)
{
	int64_t now = clock_us();

	for (size_t i = 0; i < g->n && !g->draining; i++) {
		if (g->children[i].pid == 0 && g->children[i].restart_us <= now)
			child_spawn(g, i, start, now);
	}
}

void
generation_drain(struct generation *g)
{
	if (g->draining)
		return;
	g->draining = true;
	g->deadline_us = clock_us() + g->settings->drain_timeout * CLOCK_SECOND;
	generation_signal(g, SIGTERM);
}

void
generation_signal(const struct generation *g, int sig)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->children[i].pid != 0)
			kill(g->children[i].pid, sig);
	}
}

/* Why the worker has to go by force, or NULL. */
static const char *
impatience(const struct generation *g, size_t i, int64_t now)
{
	int64_t patience = g->settings->request_timeout * CLOCK_SECOND + REQUEST_GRACE;

	if (slot_busy_us(&g->slots[i]) > patience)
		return "its request is past request_timeout";
	if (g->draining && now > g->deadline_us)
		return "it did not end within drain_timeout";
	return NULL;
}

void
generation_watch(struct generation *g)
{
	int64_t now = clock_us();

	for (size_t i = 0; i < g->n; i++) {
		struct child *c = &g->children[i];
		const char *why = c->pid == 0 || c->killed ? NULL : impatience(g, i, now);

		if (why == NULL)
			continue;
		log_error("%s %d killed: %s", child_name(g, i), (int)c->pid, why);
		kill(c->pid, SIGKILL);
		c->killed = true;
	}
}

static void
crash_log(const struct child *c, const char *name, int status)
{
	if (c->killed)
		return;
	if (WIFSIGNALED(status))
		log_error("%s %d was ended by signal %d (%s)%s", name, (int)c->pid, WTERMSIG(status),
		    sigdescr_np(WTERMSIG(status)), WCOREDUMP(status) ? ", core dumped" : "");
	else
		log_error("%s %d exited with status %d", name, (int)c->pid, WEXITSTATUS(status));
}

enum child_end
generation_reap(struct generation *g, pid_t pid, int status, size_t *child, bool *was_ready)
{
	int64_t now = clock_us();
	struct child *c;
	size_t i = 0;

	while (i < g->n && g->children[i].pid != pid)
		i++;
	if (i == g->n)
		return CHILD_NOT_MINE;
	c = &g->children[i];
	*child = i;
	*was_ready = g->slots[i].state != SLOT_STARTING;
	if (g->slots[i].served > 0 || now - c->started_us >= BACKOFF_FORGIVEN)
		c->backoff_us = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		c->pid = 0;
		c->restart_us = now;
		return CHILD_RETIRED;
	}
	crash_log(c, child_name(g, i), status);
	c->pid = 0;
	child_back_off(c, now);
	return c->killed ? CHILD_KILLED : CHILD_CRASHED;
}

static enum worker_state
worker_state(const struct generation *g, size_t i)
{
	static const enum worker_state states[] = {
		[SLOT_STARTING] = WORKER_STARTING,
		[SLOT_READY] = WORKER_IDLE,
		[SLOT_BUSY] = WORKER_BUSY,
		[SLOT_STOPPING] = WORKER_DOWN,
	};

	if (g->children[i].pid == 0)
		return WORKER_DOWN;
	return g->draining ? WORKER_DRAINING : states[g->slots[i].state];
}

enum worker_kind
generation_kind(const struct generation *g, size_t worker)
{
	return worker < g->nreaders ? WORKER_READ : WORKER_WRITE;
}

void
generation_count(const struct generation *g, int64_t n[WORKER__KINDS][WORKER__STATES],
    int64_t deferred[WORKER__KINDS])
{
	for (size_t i = 0; i < g->nworkers; i++) {
		/* a child that has drained gets no successor */
		if (!g->draining || g->children[i].pid != 0)
			n[generation_kind(g, i)][worker_state(g, i)]++;
		if (g->children[i].pid != 0)
			deferred[generation_kind(g, i)] += g->slots[i].deferred;
	}
}

bool
generation_is_ready(const struct generation *g)
{
	for (size_t i = 0; i < g->nworkers; i++) {
		if (g->children[i].pid == 0 || g->slots[i].state == SLOT_STARTING)
			return false;
	}
	return true;
}

bool
generation_is_empty(const struct generation *g)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->children[i].pid != 0)
			return false;
	}
	return true;
}

int64_t
generation_due_us(const struct generation *g)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < g->n && !g->draining; i++) {
		if (g->children[i].pid == 0 && g->children[i].restart_us < due)
			due = g->children[i].restart_us;
	}
	return due;
}
