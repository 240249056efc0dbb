#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/daemon.h"
#include "base/log.h"
#include "pool/generation.h"
#include "pool/handover.h"
#include "pool/pool.h"
#include "pool/worker.h"

/* What a child gets from its master. */
struct child_state {
	struct handover h;
	struct arena *arena;
	struct settings settings;
	struct slot *slots;
	struct metrics *metrics;
	struct pool_shared shared;
};

bool
pool_is_child(int argc, char *const *argv)
{
	return handover_is_child(argc, argv);
}

/* Ends the child when its master dies.  False: the master has died already, or the kernel refuses this. */
static bool
follow_master(const struct handover *h)
{
	/* else ps(1) would show a descriptor's number as its name */
	return prctl(PR_SET_NAME, "berth-fcgi") == 0 && prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 &&
	    getppid() == h->master;
}

static int
child_open(struct child_state *c, const struct pool_app *app, struct err *err)
{
	const struct handover *h = &c->h;

	if (settings_restore(c->arena, h->settings_fd, &c->settings, err) == -1)
		return -1;
	if (daemon_protect(c->settings.traceable) == -1)
		return err_sys(err, "cannot protect its memory");
	c->slots = scoreboard_map(h->scoreboard_fd, (size_t)h->children);
	c->metrics = metrics_share(app->router, app->families, app->nfamilies, h->metrics_fd);
	c->shared.slots = h->slots_fd;
	if (app->shared_size > 0)
		c->shared.memory =
		    mmap(NULL, app->shared_size, PROT_READ | PROT_WRITE, MAP_SHARED, h->memory_fd, 0);
	if (c->slots == NULL || c->metrics == NULL || c->shared.memory == MAP_FAILED)
		return err_sys(err, "shared memory");
	return 0;
}

static int
child_run_role(const struct child_state *c, const struct pool_app *app)
{
	const struct handover *h = &c->h;
	struct slot *slot = &c->slots[h->number];
	struct meter meter = metrics_meter(c->metrics, (size_t)h->number);

	if (h->role == ROLE_KEEPER) {
		slot_idle(slot);
		return app->keep(&c->settings, &c->shared);
	}
	return worker_run(app, &c->settings, h->role == ROLE_WRITER ? WORKER_WRITE : WORKER_READ,
	    h->listen_fd, slot, &meter, &c->shared);
}

int
pool_child_main(const struct pool_app *app, int argc, char *const *argv)
{
	struct child_state c = { .slots = NULL };
	struct err err = { 0 };
	int status = EXIT_FAILURE;

	if (handover_take(argc, argv, &c.h) == -1 || c.h.number >= c.h.children) {
		fputs("berth-fcgi: only the master starts a worker; start berth-fcgi without these arguments\n", stderr);
		return EXIT_FAILURE;
	}
	log_take("berth-fcgi", &(struct log_target) { c.h.log_path, c.h.log_fd, (enum log_level)c.h.log_level });
	if (!follow_master(&c.h))
		return EXIT_FAILURE;
	c.arena = arena_new();
	if (child_open(&c, app, &err) == -1)
		log_error("%s cannot start: %s", c.h.role == ROLE_KEEPER ? GENERATION_KEEPER : "worker", err.detail);
	else
		status = child_run_role(&c, app);
	metrics_free(c.metrics);
	if (c.slots != NULL)
		scoreboard_free(c.slots, (size_t)c.h.children);
	arena_free(c.arena);
	return status;
}
