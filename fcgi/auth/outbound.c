#include "auth/outbound.h"

static size_t
half_of(int64_t workers)
{
	return workers > 1 ? (size_t)workers / 2 : 1;
}

/* Requests that write are one actor: they must not take all write workers. */
static struct slots_ask
ask_of(const struct worker_app *app, const struct request *rq)
{
	bool reads = (rq->method & (METHOD_GET | METHOD_HEAD)) != 0;

	return (struct slots_ask) {
		.queue = QUEUE_OUTBOUND,
		.n = half_of(app->settings->workers),
		.n_actor = reads ? 0 : half_of(app->settings->write_workers),
		.actor = reads ? "read" : "write",
	};
}

int
outbound_begin(const struct worker_app *app, const struct request *rq)
{
	const struct slots_ask ask = ask_of(app, rq);

	return slots_take(app->slots, &ask);
}

void
outbound_end(const struct worker_app *app, const struct request *rq)
{
	const struct slots_ask ask = ask_of(app, rq);

	slots_leave(app->slots, &ask);
}

int
outbound_get(const struct worker_app *app, const struct request *rq, const struct https_get *get,
    struct https_answer *answer, struct err *err)
{
	struct https_get configured = *get;

	configured.ca_file = app->settings->ci_ca_file;
	configured.proxy = app->settings->outbound_proxy;
	configured.proxy_except = app->settings->outbound_proxy_except;
	configured.deadline_us = rq->deadline_us;
	return https_get(rq->arena, &configured, answer, err);
}

int
outbound_refuse(struct err *err)
{
	err_internal(err, 503, "too many workers are already waiting for other systems");
	return err_tell(err,
	    "too many jobs of other systems log in at once; try again in a moment; other tokens are "
	    "not affected");
}
