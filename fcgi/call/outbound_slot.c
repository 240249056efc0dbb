#include "call/outbound_slot.h"

/* Requests that write are one actor: they must not take all write workers. */
static struct slots_ask
ask_of(const struct worker_app *app, const struct request *rq)
{
	bool reads = (rq->method & (METHOD_GET | METHOD_HEAD)) != 0;

	return (struct slots_ask) {
		.queue = QUEUE_OUTBOUND,
		.n = app_half(app->settings->workers),
		.n_actor = reads ? 0 : app_half(app->settings->write_workers),
		.actor = reads ? "read" : "write",
	};
}

int
outbound_slot_take(const struct worker_app *app, const struct request *rq, int64_t until_us)
{
	struct slots_ask ask = ask_of(app, rq);

	ask.until_us = until_us;
	return slots_take(app->slots, &ask);
}

bool
outbound_slot_is_free(const struct worker_app *app)
{
	return slots_count(app->slots, QUEUE_OUTBOUND).held < app_half(app->settings->workers);
}

void
outbound_slot_leave(const struct worker_app *app, const struct request *rq)
{
	const struct slots_ask ask = ask_of(app, rq);

	slots_leave(app->slots, &ask);
}
