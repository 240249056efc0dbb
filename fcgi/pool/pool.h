#ifndef POOL_POOL_H
#define POOL_POOL_H

/*
 * The pool: a master that owns the listening sockets and keeps workers alive,
 * and the workers, each of which serves one request at a time.  A request that waits for what others hold
 * does not occupy its worker (request_defer()).  Requests that may write have a socket and workers of their
 * own, and that socket's backlog is their queue: however many they are and however long they take, none holds
 * a worker that reads.
 * Either kind of worker serves any request on its socket.  The master
 * parses no request and makes no database connection, so that bad input can
 * only ever cost a worker.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "config/settings.h"
#include "http/request.h"
#include "http/response.h"
#include "http/router.h"
#include "pool/listen.h"
#include "pool/metrics.h"

/* Shared by all processes of a pool, also those of other generations. */
struct pool_shared {
	int slots; /* base/slots.h */
	void *memory; /* of pool_app.shared_size bytes, zeroes at first; NULL: none is wanted */
};

/* What the pool needs to know of the application. */
struct pool_app {
	const struct router *router;
	/* The application's metrics, which follow those of the pool: METRIC__POOL and so on. */
	const struct metric_family *families;
	size_t nfamilies;
	/*
	 * In a new worker.  NULL with err set: the worker cannot serve at all
	 * (a statement does not prepare); it exits and counts as a crash.  A database that is away, or
	 * whose schema does not fit yet, is no error.  The meter and what is shared live as long as the
	 * worker.
	 */
	struct worker_app *(*start)(
	    const struct settings *, const struct meter *, const struct pool_shared *, struct err *);
	size_t shared_size; /* bytes of pool_shared.memory */
	void (*stop)(struct worker_app *);
	/*
	 * Before the handler: decides who is calling, and whether they may.  It also decides if the path
	 * does not take the request's method (rq->allow): a caller learns that only if they may know the
	 * path.  The handler gets what it returns, which is in the request's arena.  NULL: rq->err is set.
	 */
	struct call *(*begin)(struct worker_app *, struct request *, struct response *);
	/*
	 * Between the handler, also one that failed, and its answer: waits until what was
	 * written holds everywhere.  -1: 503, it may not; that is the answer unless the handler
	 * has failed.  May be NULL.
	 */
	int (*barrier)(struct worker_app *, struct request *, struct response *, struct err *);
	/*
	 * Called when the answer is an error, in the format of its route: it may replace the error's body,
	 * for example by a page.  It must not use the database, whose failure may be the error.  May be
	 * NULL.
	 */
	void (*refuse)(struct worker_app *, struct request *, struct response *);
	/* After each request, also failed ones: asserts that no transaction is open. */
	void (*end)(struct worker_app *, struct request *);
	/*
	 * Is what a deferred request waits for (request_defer()) free now?  If so, the worker serves that request
	 * next, so this may reserve it until `end`.  The worker calls this some hundred times a second while a
	 * request is deferred.  May be NULL if no handler defers.
	 */
	bool (*resumes)(struct worker_app *, const char *awaits);
	/*
	 * Milliseconds until the application wants to do something that no request waits for, 0
	 * for now, -1 for nothing; and that.  It is called while there is no request, so it must be
	 * short.  Both may be NULL.
	 */
	int (*idle_wait_ms)(const struct worker_app *);
	void (*idle)(struct worker_app *);
	/*
	 * Does the application want a process beside the workers, which serves no request?  And
	 * what it does until SIGTERM, with the exit status.  Both may be NULL.
	 */
	bool (*keeps)(const struct settings *);
	int (*keep)(const struct settings *, const struct pool_shared *);
};

/*
 * Has a master started this process?  Then main() only calls the other function, and
 * returns its result.
 */
bool pool_is_child(int argc, char *const *argv);
int pool_child_main(const struct pool_app *, int argc, char *const *argv);

/* Opens the log that the settings name.  0, or -1 with errno set. */
int pool_log_open(const struct settings *);

/*
 * Runs the pool in the foreground until it is told to stop.  Workers are processes of the program
 * that calls this (pool_is_child()).  config_path: read again on SIGHUP.
 * SIGTERM, SIGINT: no new requests, running ones finish, within drain_timeout.
 * A request that outlasts request_timeout by far costs its worker.
 * SIGHUP: reads the configuration again, starts new workers with it, and ends the
 * old ones once all new ones serve; a bad configuration changes nothing.
 * SIGUSR1: reopens the log, here and in all workers.
 * Returns the exit status: 0 after SIGTERM, 1 where workers crash in a loop.
 */
int pool_run(const struct pool_app *, const char *config_path, const struct settings *,
    const struct listeners *);

#endif
