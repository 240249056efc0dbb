#include "call/patience.h"

#include <poll.h>
#include <signal.h>

#include "base/clock.h"
#include "http/fcgi.h"

enum { LOOK_MS = 200 }; /* how often a request that waits looks whether it still may */

/* Was this worker told to end meanwhile?  Its loop reads the signal only between two requests. */
static bool
is_stopping(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1;
}

static bool
go_on(void *arg)
{
	struct patience *p = arg;
	int64_t now = clock_us();

	if (p->drained_us == 0 && is_stopping())
		p->drained_us = now + p->drain_us;
	return !fcgi_peer_has_gone(p->conn) && (p->drained_us == 0 || now < p->drained_us);
}

void
patience_set(struct call *call, struct request *rq)
{
	const struct settings *settings = call->app->settings;
	int64_t sent_us = rq->started_us - rq->waited_us;
	int64_t wait_us = PATIENCE_US;

	call->patience = (struct patience) { .db = { .until_us = 0 } };
	db_set_patience(call->app->db, NULL);
	if (!request_asks_last(rq) &&
	    (rq->route->error_format != ERROR_FORMAT_CARGO || rq->route->writes == 0 || rq->allow != NULL))
		return;
	/* what was waited for still needs time to be done */
	if (wait_us > settings->request_timeout * CLOCK_SECOND / 4 * 3)
		wait_us = settings->request_timeout * CLOCK_SECOND / 4 * 3;
	call->patience = (struct patience) {
		.db = { .until_us = sent_us + wait_us, .go_on = go_on, .arg = &call->patience },
		.conn = rq->conn,
		.drain_us = settings->drain_timeout * CLOCK_SECOND / 4 * 3,
	};
	if (rq->ending)
		call->patience.drained_us = clock_us() + call->patience.drain_us;
	db_set_patience(call->app->db, &call->patience.db);
}

/* False: the client has gone, or the pool stops. */
static bool
sleep_until(struct patience *p, int64_t until_us)
{
	for (int64_t left; (left = until_us - clock_us()) > 0;) {
		if (!go_on(p))
			return false;
		(void)poll(NULL, 0, left < (int64_t)LOOK_MS * 1000 ? (int)(left / 1000) + 1 : LOOK_MS);
	}
	return true;
}

static struct slots_ask
ask_of(const struct call *call, const char *actor, size_t n_actor)
{
	return (struct slots_ask) { .queue = QUEUE_WAIT,
		.n = (size_t)call->app->settings->write_workers / 2,
		.n_actor = n_actor,
		.actor = actor };
}

bool
patience_hold(struct call *call, const char *actor, size_t n_actor)
{
	const struct slots_ask ask = ask_of(call, actor, n_actor);

	return ask.n > 0 && slots_take(call->app->slots, &ask) == 0;
}

void
patience_release(struct call *call, const char *actor)
{
	const struct slots_ask ask = ask_of(call, actor, 0);

	slots_leave(call->app->slots, &ask);
}

bool
patience_wait(struct call *call, const char *actor, int64_t us)
{
	struct patience *p = &call->patience;
	int64_t until_us = clock_us() + us;
	bool waited;

	if (until_us > p->db.until_us || !patience_hold(call, actor, 1))
		return false;
	waited = sleep_until(p, until_us);
	patience_release(call, actor);
	return waited;
}

void
patience_end(struct worker_app *app)
{
	db_set_patience(app->db, NULL);
}
