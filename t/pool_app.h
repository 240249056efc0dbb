#ifndef T_POOL_APP_H
#define T_POOL_APP_H

/* An application for the pool that crashes, hangs and fails to start when it is told to. */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "pool/pool.h"

static char test_dir[] = "/tmp/berth-pool-XXXXXX";

struct worker_app {
	const struct settings *settings;
	const struct meter *meter;
};

struct call {
	struct worker_app *app;
};

static int
answer(struct request *rq, struct response *rs, int64_t n)
{
	response_body(rs, 200, "text/plain",
	    slice_str(arena_printf(rq->arena, "%lld", (long long)n)));
	return 0;
}

static int
do_pid(struct call *call, struct request *rq, struct response *rs)
{
	(void)call;
	return answer(rq, rs, getpid());
}

static int
do_setting(struct call *call, struct request *rq, struct response *rs)
{
	return answer(rq, rs, call->app->settings->max_features);
}

/* Did the last reload succeed? */
static int
do_reload(struct call *call, struct request *rq, struct response *rs)
{
	int64_t ok = -1;

	return meter_get(call->app->meter, METRIC_RELOAD_OK, 0, &ok) ? answer(rq, rs, ok) : -1;
}

static int
do_body(struct call *call, struct request *rq, struct response *rs)
{
	char piece[1000];
	int64_t total = 0;
	size_t n;

	(void)call;
	do {
		if (request_body_read(rq, piece, sizeof(piece), &n) == -1)
			return -1;
		total += (int64_t)n;
	} while (n > 0);
	return answer(rq, rs, total);
}

static int
do_crash(struct call *call, struct request *rq, struct response *rs)
{
	const struct rlimit no_core = { 0, 0 };

	(void)call;
	(void)rq;
	(void)rs;
	setrlimit(RLIMIT_CORE, &no_core);
	return raise(SIGKILL);
}

/* Says that it has begun by a file, and ends when another one is there. */
static int
wait_for_end(struct err *err)
{
	char begun[64], end[64];
	FILE *f;

	snprintf(begun, sizeof(begun), "%s/begun", test_dir);
	snprintf(end, sizeof(end), "%s/end", test_dir);
	f = fopen(begun, "w");
	if (f == NULL || fclose(f) != 0)
		return err_set(err, 400, "no file");
	while (access(end, F_OK) == -1)
		nanosleep(&(struct timespec) { .tv_nsec = 5000000 }, NULL);
	return 0;
}

static int
do_wait(struct call *call, struct request *rq, struct response *rs)
{
	(void)call;
	return wait_for_end(&rq->err) == -1 ? -1 : answer(rq, rs, 1);
}

static bool
is_free(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/free", test_dir);
	return access(path, F_OK) == 0;
}

/* Needs what is free when a file is there; answers the deadline. */
static int
do_defer(struct call *call, struct request *rq, struct response *rs)
{
	(void)call;
	if (is_free())
		return answer(rq, rs, rq->deadline_us);
	(void)err_set(&rq->err, 503, "it is not free");
	return request_defer(rq, "");
}

/* The same, and then it does not end before its time. */
static int
do_defer_wait(struct call *call, struct request *rq, struct response *rs)
{
	return is_free() ? do_wait(call, rq, rs) : do_defer(call, rq, rs);
}

static const struct route routes[] = {
	{ .name = "pid", .methods = METHOD_GET, .pattern = "pid", .handle = do_pid },
	{ .name = "setting", .methods = METHOD_GET, .pattern = "setting", .handle = do_setting },
	{ .name = "reload", .methods = METHOD_GET, .pattern = "reload", .handle = do_reload },
	{ .name = "none", .methods = METHOD_PUT, .pattern = "none", .handle = do_pid },
	{ .name = "body", .methods = METHOD_PUT, .pattern = "body", .body = BODY_STREAM,
	    .handle = do_body },
	{ .name = "crash", .methods = METHOD_GET, .pattern = "crash", .handle = do_crash },
	{ .name = "wait", .methods = METHOD_GET, .pattern = "wait", .handle = do_wait },
	{ .name = "defer", .methods = METHOD_GET, .pattern = "defer", .handle = do_defer },
	{ .name = "defer_wait", .methods = METHOD_GET, .pattern = "defer_wait", .handle = do_defer_wait },
};
static const struct router router = { routes, sizeof(routes) / sizeof(*routes), NULL, 0 };

static struct worker_app *
app_start(const struct settings *s, const struct meter *meter, const struct pool_shared *shared,
    struct err *err)
{
	static struct worker_app app;

	(void)shared;
	app = (struct worker_app) { s, meter };
	if (strcmp(s->store, "/slow") == 0)
		return wait_for_end(err) == -1 ? NULL : &app;
	if (strcmp(s->store, "/broken") != 0)
		return &app;
	err_internal(err, 500, "the store is broken");
	return NULL;
}

static void
app_stop(struct worker_app *app)
{
	app->settings = NULL;
}

static struct call *
app_begin(struct worker_app *app, struct request *rq, struct response *rs)
{
	struct call *call = arena_alloc(rq->arena, sizeof(*call));

	(void)rs;
	call->app = app;
	snprintf(rq->actor, sizeof(rq->actor), "user:7");
	return call;
}

static void
app_end(struct worker_app *app, struct request *rq)
{
	(void)app;
	(void)rq;
}

static bool
app_resumes(struct worker_app *app, const char *awaits)
{
	(void)app;
	(void)awaits;
	return is_free();
}

static const struct pool_app test_app = { .router = &router, .start = app_start, .stop = app_stop,
	.begin = app_begin, .end = app_end,
	.resumes = app_resumes };

#endif
