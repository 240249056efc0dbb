#include "api/pool_app.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "api/call_begin.h"
#include "api/routes.h"
#include "api/web/page.h"
#include "base/clock.h"
#include "base/log.h"
#include "cache/cache_barrier.h"
#include "cache/cache_keeper.h"
#include "call/app.h"
#include "call/app_metrics.h"
#include "call/bring.h"
#include "call/known_caller.h"
#include "call/known_reader.h"
#include "call/outbound_slot.h"
#include "call/patience.h"
#include "crate/inspect/inspector.h"
#include "store/blob/blob.h"
#include "store/blob/blob_store.h"

enum { IDLE_MAX_US = CLOCK_SECOND /* what the next request may have to wait for */ };

/* When tokens were used; that nobody waits for.  What cannot be written is lost. */
static void
app_idle(struct worker_app *app)
{
	struct err err = { 0 };
	int64_t now = clock_us();

	db_set_deadline(app->db, now + IDLE_MAX_US);
	if (token_use_write(&app->token_use, app->db, now, &err) == -1)
		log_warn("%s", err.detail);
	db_set_deadline(app->db, 0);
	/* this is not the next request's time */
	(void)db_take_us(app->db);
}

static int
app_idle_wait_ms(const struct worker_app *app)
{
	return token_use_wait_ms(&app->token_use, clock_us());
}

static void
app_stop(struct worker_app *app)
{
	if (app == NULL)
		return;
	inspector_stop(app->inspector);
	if (app->db != NULL)
		app_idle(app);
	known_callers_forget(app->known, app->arena);
	cache_barrier_free(app->barrier);
	db_free(app->db);
	db_free(app->replica);
	token_keys_wipe(&app->keys);
	slots_close(app->slots);
	arena_free(app->arena);
	free(app);
}

/* The pool starts even if it cannot write the store: reads still work. */
static void
prepare_store(const struct settings *s)
{
	struct err err = { 0 };

	if (s->blobs->kind->check(s->blobs, &err) == -1)
		log_error("%s", err.detail);
}

static void
count_store_request(void *arg, enum s3_operation operation, int64_t us, bool failed)
{
	const struct worker_app *app = arg;

	meter_observe(app->meter, METRIC_STORE_REQUESTS, operation, us);
	if (failed)
		meter_count(app->meter, METRIC_STORE_REQUEST_ERRORS, operation, 0);
}

/*
 * Removes staging files of publishes that died with their worker; those under way are younger.  Makes the
 * directories of the store.  Touches nothing in a store that does not belong to this registry.
 */
static void
sweep_store(struct worker_app *app)
{
	const struct settings *s = app->settings;
	struct err err = { 0 };

	if (store_identity_check(app->db, app->arena, &app->store, s->blobs, true, &err) == -1 ||
	    (app->store.adopted &&
	        (blob_sweep_staging(s->blobs->dir, settings_staging_age(s), &err) == -1 ||
	            blob_store_prepare(s->blobs, &err) == -1)))
		log_error("%s", err.detail);
	else if (!app->store.adopted)
		log_warn("store %s has no " STORE_ID_FILE " yet: nothing is removed from it until an administrator "
		    "has run `berth store adopt`", s->store);
}

static struct worker_app *
app_start(const struct settings *settings, const struct meter *meter, const struct pool_shared *shared,
    struct err *err)
{
	struct worker_app *app = calloc(1, sizeof(*app));
	int64_t patience_ms;
	struct err away;

	if (app == NULL) {
		err_sys(err, "worker");
		return NULL;
	}
	app->settings = settings;
	app->meter = meter;
	app->arena = arena_new();
	app->slots = slots_open(shared->slots);
	if (app->slots == NULL) {
		err_sys(err, "shared memory of the workers");
		app_stop(app);
		return NULL;
	}
	app->inspector = inspector_new(app->arena, settings->inspector);
	app->known = known_callers_new(app->arena);
	app->readers = known_readers_new(app->arena);
	app->www_authenticate =
	    arena_printf(app->arena, "Cargo login_url=\"%s/-/tokens\"", settings->external_url);
	blob_store_watch(settings->blobs, count_store_request, app);
	prepare_store(settings);
	patience_ms = blob_store_set_patience(settings->blobs, IDLE_MAX_US / 1000);
	app->db = db_new_pooled(settings->database, settings->database_direct,
	    settings->database_timeout * 1000);
	app->board = shared->memory;
	app->barrier = cache_barrier_new(app->db, app->board);
	if (settings->database_read[0] != '\0') {
		app->replica = db_new(settings->database_read, settings->database_timeout * 1000);
		db_set_replica(app->replica);
	}
	/* a database that is away is no reason not to start, nor is one that is not migrated yet:
	 * requests get 503 until it is there */
	if (app_know_keys(app, app->arena, &away) == -1) {
		if (db_fatal(app->db)) {
			*err = away;
			app_stop(app);
			return NULL;
		}
		log_warn("%s", away.detail);
	} else {
		sweep_store(app);
	}
	(void)blob_store_set_patience(settings->blobs, patience_ms);
	/* connecting is not the first request's time */
	(void)db_take_us(app->db);
	return app;
}

/* What was committed is committed, whatever becomes of this. */
static int
app_barrier(struct worker_app *app, struct request *rq, struct response *rs, struct err *err)
{
	const struct settings *s = app->settings;
	int rc = cache_barrier_wait(app->barrier, rq->arena, rq->deadline_us, err);
	const char *stale = cache_barrier_take_stale(app->barrier, rq->arena);

	if (stale != NULL)
		response_header(rs, "Berth-Stale-Nodes", stale);
	if (rc == 0)
		return 0;
	err_context(err, "some nodes may serve stale data");
	if (err->status != 503)
		return -1;
	/*
	 * A node whose lease goes on may be stale after it, as long as this one may, if all have the same settings.
	 * The answer to an error has no headers of ours.
	 */
	return err_tell(err, "the change is committed, but other nodes may serve stale data for up to %" PRId64
	    " s%s%s", s->cache_lease + s->cache_stale_max, stale == NULL ? "" : "; the nodes that have lost "
	    "the database, each with the seconds for which it may do so: ", stale == NULL ? "" : stale);
}

static bool
app_keeps(const struct settings *settings)
{
	return settings->cache_dir[0] != '\0';
}

static int
app_keep(const struct settings *settings, const struct pool_shared *shared)
{
	return cache_keeper_run(settings, shared->memory);
}

static void
app_end(struct worker_app *app, struct request *rq)
{
	assert(db_is_idle(app->db));
	rq->db_us = db_take_us(app->db);
	db_set_deadline(app->db, 0);
	blob_store_set_deadline(app->settings->blobs, 0);
	db_set_request(app->db, NULL);
	db_set_guard(app->db, NULL);
	patience_end(app);
	outbound_slot_release(app);
}

const struct pool_app api_pool_app = {
	.router = &api_router,
	.families = app_families,
	.nfamilies = METRIC__APP_END - METRIC__POOL,
	.start = app_start,
	.shared_size = sizeof(struct cache_board),
	.stop = app_stop,
	.begin = call_begin,
	.barrier = app_barrier,
	.refuse = page_refuse,
	.end = app_end,
	.resumes = bring_resumes,
	.idle_wait_ms = app_idle_wait_ms,
	.idle = app_idle,
	.keeps = app_keeps,
	.keep = app_keep,
};
