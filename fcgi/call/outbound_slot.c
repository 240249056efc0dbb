#include "call/outbound_slot.h"

/* Requests that write are one actor: they must not take all write workers. */
static struct slots_ask
ask_of(const struct worker_app *app, bool reads)
{
	return (struct slots_ask) {
		.queue = QUEUE_OUTBOUND,
		.n = app_half(app->settings->workers),
		.n_actor = reads ? 0 : app_half(app->settings->write_workers),
		.actor = reads ? "read" : "write",
	};
}

static bool
reads(const struct request *rq)
{
	return (rq->method & (METHOD_GET | METHOD_HEAD)) != 0;
}

int
outbound_slot_take(struct worker_app *app, const struct request *rq, int64_t until_us)
{
	struct slots_ask ask = ask_of(app, reads(rq));

	if (app->slot_reserved) {
		app->slot_reserved = false;
		return 0;
	}
	ask.until_us = until_us;
	return slots_take(app->slots, &ask);
}

void
outbound_slot_leave(const struct worker_app *app, const struct request *rq)
{
	const struct slots_ask ask = ask_of(app, reads(rq));

	slots_leave(app->slots, &ask);
}

bool
outbound_slot_reserve(struct worker_app *app)
{
	const struct slots_ask ask = ask_of(app, true);

	if (!app->slot_reserved)
		app->slot_reserved = slots_take(app->slots, &ask) == 0;
	return app->slot_reserved;
}

void
outbound_slot_release(struct worker_app *app)
{
	const struct slots_ask ask = ask_of(app, true);

	if (app->slot_reserved)
		slots_leave(app->slots, &ask);
	app->slot_reserved = false;
}
