#include "pool/worker.h"

#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/signals.h"
#include "http/fcgi.h"
#include "pool/wait.h"

enum {
	KEPT_IDLE_MS = 1000, /* how long a kept connection may be silent between two requests */
	REFUSAL_US = 5000000,
	STACK_WIPED = 64 * 1024,
	SMALL_BODY_MAX = 64 * 1024 /* of a route that takes none, or parameters */
};

struct worker {
	const struct pool_app *app;
	const struct settings *settings;
	struct slot *slot;
	const struct meter *meter;
	enum worker_kind kind;
	struct worker_app *state;
	struct fcgi_conn *conn;
	struct wait *wait;
	struct arena *arena; /* of the request */
	int signal_fd;
	bool stopping;
};

static int
idle_wait_ms(const struct worker *w)
{
	return w->app->idle_wait_ms != NULL ? w->app->idle_wait_ms(w->state) : -1;
}

/* How long to wait for a request, in milliseconds; -1: for as long as it takes. */
static int
patience(const struct worker *w)
{
	int idle = idle_wait_ms(w);

	return fcgi_is_kept(w->conn) && (idle == -1 || idle > KEPT_IDLE_MS) ? KEPT_IDLE_MS : idle;
}

/* No event came within patience(). */
static void
patience_end(struct worker *w)
{
	if (idle_wait_ms(w) == 0)
		w->app->idle(w->state);
	else if (fcgi_is_kept(w->conn))
		fcgi_drop(w->conn);
}

/* Waits until something happens.  True: there may be a request. */
static bool
request_wait(struct worker *w)
{
	struct wait_ready ready;
	int n = wait_any(w->wait, fcgi_kept_fd(w->conn), patience(w), &ready);

	if (n == 0)
		patience_end(w);
	if (n <= 0)
		return false;
	if (ready.signal)
		w->stopping |= signals_take(w->signal_fd);
	/* a worker that ends takes it, too: the kernel has woken no other one */
	return ready.request;
}

static int
body_check(struct request *rq)
{
	if (rq->route->body == BODY_STREAM || rq->content_length <= SMALL_BODY_MAX)
		return 0;
	return err_set(&rq->err, 413, "the request body has %lld bytes; at most %d are allowed",
	    (long long)rq->content_length, SMALL_BODY_MAX);
}

/* A request that has waited for most of its time could not end before nginx gives up. */
static int
queue_check(const struct worker *w, struct request *rq)
{
	int64_t patience_us = w->settings->request_timeout * 1000000 / 4 * 3;

	if (rq->waited_us <= patience_us)
		return 0;
	/* time to read the body: nginx does not read the answer before */
	rq->deadline_us = clock_us() + REFUSAL_US;
	return err_set(&rq->err, 503, "the registry is busy; try again in a few seconds");
}

static int
request_handle(struct worker *w, struct request *rq, struct response *rs)
{
	struct call *call;
	int rc = request_read(rq, w->arena, w->conn, w->settings->request_timeout);

	rq->ending = w->stopping;
	if (rc == -1 || router_match(w->app->router, rq) == -1 || queue_check(w, rq) == -1 ||
	    (call = w->app->begin(w->state, rq, rs)) == NULL)
		return -1;
	if (rq->allow != NULL)
		return router_refuse_method(w->app->router, rq);
	if (body_check(rq) == -1)
		return -1;
	if (rq->route->handle(call, rq, rs) == -1)
		return -1;
	if (rs->body.n > RESPONSE_BODY_MAX)
		return err_internal(&rq->err, 500, "the answer has %zu bytes, more than nginx accepts",
		    rs->body.n);
	return 0;
}

/* Waits until what was written holds everywhere; only then may the client learn that it is done. */
static int
request_barrier(struct worker *w, struct request *rq, struct response *rs, int rc)
{
	struct err err = { 0 };

	if (w->app->barrier == NULL || w->app->barrier(w->state, rq, rs, &err) == 0)
		return rc;
	if (rc == -1)
		return err_context(&rq->err, "%s", err.detail);
	rq->err = err;
	return -1;
}

static enum log_level
status_level(int status)
{
	if (status == 503)
		return LOG_WARN;
	return status >= 500 ? LOG_ERROR : LOG_INFO;
}

static const char *
request_route_name(const struct request *rq)
{
	return rq->route == NULL ? "-" : rq->route->name;
}

/* If an alert counts the refusal, the log has what the client was told, since that gives the reason. */
static const char *
request_detail(const struct err *err)
{
	return err->detail[0] == '\0' && err->reason != ERR_BY_STATUS ? err->pub : err->detail;
}

/* The path without the query, and no header: either may hold a token. */
static void
request_log(const struct request *rq, int status, long long bytes)
{
	struct log_line l;

	log_begin(&l, status_level(status), "request");
	log_str(&l, "id", slice_str(rq->id));
	log_str(&l, "method", slice_str(request_method_name(rq->method)));
	log_str(&l, "route", slice_str(request_route_name(rq)));
	log_int(&l, "status", status);
	log_ms(&l, "ms", clock_us() - rq->started_us);
	log_ms(&l, "db_ms", rq->db_us);
	log_ms(&l, "queue_ms", rq->waited_us);
	log_int(&l, "bytes", bytes);
	log_str(&l, "actor", slice_str(rq->actor[0] == '\0' ? "-" : rq->actor));
	if (request_detail(&rq->err)[0] != '\0')
		log_str(&l, "detail", slice_str(request_detail(&rq->err)));
	/* last, since it may be so long that the line is cut */
	log_str(&l, "path", rq->raw_path);
	log_end(&l);
}

static void
request_serve(struct worker *w)
{
	struct request rq;
	struct response rs;
	long long bytes;

	response_init(&rs, w->arena);
	if (request_barrier(w, &rq, &rs, request_handle(w, &rq, &rs)) == -1) {
		response_error(&rs, router_error_format(w->app->router, &rq), &rq.err, rq.allow);
		if (w->app->refuse != NULL)
			w->app->refuse(w->state, &rq, &rs);
	}
	request_body_drain(&rq);
	FAULT_POINT("respond", request_route_name(&rq));
	bytes = response_send(&rs, &rq);
	if (fcgi_finish(w->conn) == -1)
		bytes = -1;
	FAULT_POINT("responded", request_route_name(&rq));
	w->app->end(w->state, &rq);
	meter_request(w->meter, &rq, rs.status, bytes, clock_us() - rq.started_us);
	meter_count(w->meter, METRIC_WORKER_REQUESTS, w->kind, 0);
	meter_observe(w->meter, METRIC_QUEUE_DURATION, w->kind, rq.waited_us);
	request_log(&rq, rs.status, bytes);
	arena_reset(w->arena);
}

/* Wipes the stack below: functions that have returned made digests and decoded Basic there. */
static void __attribute__((noinline))
stack_wipe(void)
{
	char below[STACK_WIPED];

	explicit_bzero(below, sizeof(below));
}

static void
worker_loop(struct worker *w)
{
	int64_t max = w->settings->max_requests;

	slot_idle(w->slot);
	while (!w->stopping && (max == 0 || w->slot->served < max)) {
		if (!request_wait(w))
			continue;
		slot_busy(w->slot);
		if (fcgi_accept(w->conn) == 1) {
			request_serve(w);
			stack_wipe();
			w->slot->served++;
		}
		slot_idle(w->slot);
	}
	slot_stop(w->slot);
}

int
worker_run(const struct pool_app *app, const struct settings *settings, enum worker_kind kind,
    int listen_fd, struct slot *slot, const struct meter *meter, const struct pool_shared *shared)
{
	struct worker w = { .app = app, .settings = settings, .slot = slot, .meter = meter,
		.kind = kind };
	struct err err = { 0 };

	w.signal_fd = signals_open();
	w.conn = fcgi_open(listen_fd, settings->request_timeout);
	w.wait = wait_new(w.signal_fd, listen_fd);
	if (w.conn == NULL || w.wait == NULL) {
		log_error("worker cannot start: no resources");
		return WORKER_START_FAILED;
	}
	w.state = app->start(settings, meter, shared, &err);
	if (w.state == NULL) {
		log_error("worker cannot start: %s", err.detail);
	} else {
		w.arena = arena_new();
		worker_loop(&w);
		arena_free(w.arena);
		app->stop(w.state);
	}
	wait_free(w.wait);
	fcgi_close(w.conn);
	close(w.signal_fd);
	return w.state == NULL ? WORKER_START_FAILED : 0;
}
