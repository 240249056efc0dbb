#include "pool/worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/signals.h"
#include "http/fcgi.h"
#include "pool/deferred.h"
#include "pool/wait.h"

enum {
	KEPT_IDLE_MS = 1000, /* how long a kept connection may be silent, unless requests are deferred */
	DEFERRED_LOOK_MS = 40, /* how often it looks whether the one request that it has deferred can go on */
	DEFERRED_PAUSE_SHARE = 4, /* for each four that it has deferred, it leaves new ones to others for 1 ms */
	REFUSAL_US = 5 * CLOCK_SECOND,
	STACK_WIPED = 64 * 1024,
	SMALL_BODY_MAX = 64 * 1024 /* of a route that takes none, or parameters */
};

struct worker {
	const struct pool_app *app;
	const struct settings *settings;
	struct slot *slot;
	const struct meter *meter;
	enum worker_kind kind;
	int listen_fd;
	struct worker_app *state;
	struct fcgi_conn *conn;
	struct fcgi_conn *spare; /* the next `conn` when that one is deferred; NULL: not made yet */
	struct deferred_list deferred;
	int64_t deferred_look_us; /* of clock_us(): it does not look before */
	struct err deferred_why; /* the answer to one that has waited for too long */
	int64_t drained_us; /* of clock_us(): deferred requests wait no longer; 0: the worker does not drain */
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

/*
 * A worker serves one request at a time, so a crowd is served soonest if all workers have deferred equally
 * many: the more a worker has, the more often it looks whether the oldest can go on.
 */
static int
deferred_look_ms(const struct worker *w)
{
	return 1 + DEFERRED_LOOK_MS / (int)w->deferred.n;
}

/* How long to wait for a request, in milliseconds; -1: for as long as it takes. */
static int
patience(const struct worker *w)
{
	int idle = idle_wait_ms(w);
	int most = w->deferred.n > 0 ? deferred_look_ms(w) : fcgi_is_kept(w->conn) ? KEPT_IDLE_MS : -1;

	return most != -1 && (idle == -1 || idle > most) ? most : idle;
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

/* How long a request may wait before it is served: afterwards it could not end before nginx gives up. */
static int64_t
queue_patience_us(const struct worker *w)
{
	return w->settings->request_timeout * CLOCK_SECOND / 4 * 3;
}

/* Has the deferred request waited for too long? */
static bool
deferred_is_late(const struct worker *w, const struct deferred *d)
{
	int64_t now = clock_us();

	return now - d->since_us > queue_patience_us(w) || (w->drained_us != 0 && now > w->drained_us);
}

static int
queue_check(const struct worker *w, struct request *rq, const struct deferred *again)
{
	if (again == NULL ? rq->waited_us <= queue_patience_us(w) : !deferred_is_late(w, again))
		return 0;
	/* time to read the body: nginx does not read the answer before */
	rq->deadline_us = clock_us() + REFUSAL_US;
	if (again == NULL)
		return err_set(&rq->err, 503, "the registry is busy; try again in a few seconds");
	rq->err = w->deferred_why;
	return -1;
}

/*
 * Somebody who has recorded what came in the early data of TLS (0-RTT) can send it again.  That does no harm
 * if it only reads; the client repeats a write after the handshake.  nginx says so itself, or a balancer
 * before it: Early-Data counts with any value, and also twice (RFC 8470, section 5.1).
 */
static int
early_check(struct request *rq)
{
	/* a question of nginx writes nothing, and the request itself follows */
	if ((rq->method & (METHOD_GET | METHOD_HEAD | METHOD_OPTIONS)) != 0 ||
	    rq->route->error_format == ERROR_FORMAT_SUBREQUEST ||
	    (request_header(rq, "SSL_EARLY_DATA") == NULL && request_header_count(rq, "HTTP_EARLY_DATA") == 0))
		return 0;
	return err_set(&rq->err, 425, "the request came before the end of the TLS handshake; send it again");
}

static bool
has_served_enough(const struct worker *w)
{
	int64_t max = w->settings->max_requests;

	return max != 0 && w->slot->served >= max;
}

/* Is there room for one more, and a connection for the request after it? */
static bool
can_defer(struct worker *w)
{
	/* it ends when none is deferred, so it must not begin anew */
	if (has_served_enough(w))
		return false;
	/* such as all requests of a build that was interrupted */
	if (deferred_is_full(&w->deferred))
		deferred_drop_gone(&w->deferred);
	if (deferred_is_full(&w->deferred))
		return false;
	if (w->spare == NULL)
		w->spare = fcgi_open(w->listen_fd, w->settings->request_timeout);
	return w->spare != NULL;
}

/* The time since the request came is a part of its wait, also if nginx does not say when it sent it. */
static void
wait_note(struct request *rq, const struct deferred *again)
{
	int64_t more_us = rq->started_us - again->since_us - rq->waited_us;

	if (more_us > 0) {
		rq->waited_us += more_us;
		rq->deadline_us -= more_us;
	}
}

static int
request_handle(struct worker *w, const struct deferred *again, struct request *rq, struct response *rs)
{
	struct call *call;
	int rc = request_read(rq, w->arena, w->conn, w->settings->request_timeout);

	rq->ending = w->stopping;
	rq->is_again = again != NULL;
	rq->may_defer = rq->is_again || can_defer(w);
	rq->is_behind = again == NULL && w->deferred.n > 0;
	if (again != NULL)
		wait_note(rq, again);
	if (rc == -1 || router_match(w->app->router, rq) == -1 || early_check(rq) == -1 ||
	    queue_check(w, rq, again) == -1 ||
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

/* Keeps the connection for later.  A request that was deferred before goes first again. */
static void
request_defer_here(struct worker *w, const struct request *rq, const struct deferred *again)
{
	struct deferred d = { w->conn, again != NULL ? again->since_us : rq->started_us - rq->waited_us, "" };

	w->deferred_why = rq->err;
	memcpy(d.awaits, rq->awaits, sizeof(d.awaits));
	if (again != NULL) {
		deferred_add_first(&w->deferred, d);
	} else {
		deferred_add_last(&w->deferred, d);
		w->conn = w->spare;
		w->spare = NULL;
	}
}

/*
 * Serves the request of w->conn; again: it was deferred before.  False: it is deferred, so
 * it has no answer yet.
 */
static bool
request_serve(struct worker *w, const struct deferred *again)
{
	struct request rq;
	struct response rs;
	long long bytes;
	int rc;

	response_init(&rs, w->arena);
	rc = request_handle(w, again, &rq, &rs);
	if (rc == -1 && rq.deferred) {
		w->app->end(w->state, &rq);
		request_defer_here(w, &rq, again);
		arena_reset(w->arena);
		return false;
	}
	if (request_barrier(w, &rq, &rs, rc) == -1) {
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
	return true;
}

/* Wipes the stack below: functions that have returned made digests and decoded Basic there. */
static void __attribute__((noinline))
stack_wipe(void)
{
	char below[STACK_WIPED];

	explicit_bzero(below, sizeof(below));
}

/* False: it is deferred. */
static bool
request_take(struct worker *w, const struct deferred *again)
{
	bool answered = request_serve(w, again);

	stack_wipe();
	w->slot->served += answered;
	return answered;
}

/* Serves the oldest deferred request again. */
static void
deferred_serve(struct worker *w)
{
	const struct deferred again = deferred_take(&w->deferred);
	struct fcgi_conn *own = w->conn;

	w->conn = again.conn;
	if (request_take(w, &again))
		fcgi_close(again.conn);
	w->conn = own;
}

/*
 * Can the oldest deferred request go on, or has it waited for too long?  If so, serve it: resumes() may have
 * reserved something for it.  There is no answer for a client that has gone.
 */
static bool
deferred_is_due(struct worker *w)
{
	int64_t now = clock_us();
	const struct deferred *oldest = &w->deferred.items[0];

	if (w->deferred.n == 0 || now < w->deferred_look_us)
		return false;
	w->deferred_look_us = now + deferred_look_ms(w) * (int64_t)1000;
	deferred_drop_gone_first(&w->deferred);
	w->slot->deferred = (int64_t)w->deferred.n;
	return w->deferred.n > 0 && (w->app->resumes(w->state, oldest->awaits) || deferred_is_late(w, oldest));
}

/* Lets time pass without taking a request; a signal ends it. */
static void
worker_pause(struct worker *w, int ms)
{
	struct pollfd signals = { .fd = w->signal_fd, .events = POLLIN };

	if (poll(&signals, 1, ms) == 1)
		w->stopping |= signals_take(w->signal_fd);
}

/* due: serves the oldest deferred request; else the next one.  False: that one is deferred. */
static bool
worker_serve(struct worker *w, bool due)
{
	bool answered = true;

	slot_busy(w->slot);
	if (due)
		deferred_serve(w);
	else if (fcgi_accept(w->conn) == 1)
		answered = request_take(w, NULL);
	w->slot->deferred = (int64_t)w->deferred.n;
	slot_idle(w->slot);
	return answered;
}

/*
 * The worker takes no more requests, and answers those that it has before the drain of the pool would cut
 * them off.
 */
static void
worker_drain(struct worker *w)
{
	fcgi_drop(w->conn);
	w->drained_us = clock_us() + w->settings->drain_timeout * CLOCK_SECOND / 4 * 3;
	while (w->deferred.n > 0) {
		if (deferred_is_due(w))
			(void)worker_serve(w, true);
		else
			worker_pause(w, deferred_look_ms(w));
	}
}

/* Has the worker served as many requests as it may?  Then it still serves until none is deferred. */
static bool
worker_retires(const struct worker *w)
{
	return has_served_enough(w) && w->deferred.n == 0;
}

static void
worker_loop(struct worker *w)
{
	slot_idle(w->slot);
	while (!w->stopping && !worker_retires(w)) {
		bool due = deferred_is_due(w);

		if (!due && !request_wait(w))
			continue;
		if (!worker_serve(w, due))
			/* others take the next ones of a crowd */
			worker_pause(w, 1 + (int)w->deferred.n / DEFERRED_PAUSE_SHARE);
		else if (due)
			/* the next one may be due at once: request_wait() does not take the signals then */
			worker_pause(w, 0);
	}
	worker_drain(w);
	slot_stop(w->slot);
}

int
worker_run(const struct pool_app *app, const struct settings *settings, enum worker_kind kind,
    int listen_fd, struct slot *slot, const struct meter *meter, const struct pool_shared *shared)
{
	struct worker w = { .app = app, .settings = settings, .slot = slot, .meter = meter,
		.kind = kind, .listen_fd = listen_fd };
	struct err err = { 0 };

	w.signal_fd = signals_open();
	if (w.signal_fd == -1 || (w.conn = fcgi_open(listen_fd, settings->request_timeout)) == NULL ||
	    (w.wait = wait_new(w.signal_fd, listen_fd)) == NULL) {
		log_error("worker cannot start: %s; allow it more open files, or give the host more memory",
		    strerrordesc_np(errno));
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
	fcgi_close(w.spare);
	fcgi_close(w.conn);
	close(w.signal_fd);
	return w.state == NULL ? WORKER_START_FAILED : 0;
}
