#include "api/outbound.h"

static struct slots_ask
ask_of(const struct worker_app *app)
{
	size_t half = (size_t)app->settings->workers / 2;

	return (struct slots_ask) { .queue = QUEUE_OUTBOUND, .n = half > 0 ? half : 1, .actor = "" };
}

int
outbound_begin(const struct worker_app *app)
{
	const struct slots_ask ask = ask_of(app);

	return slots_take(app->slots, &ask);
}

void
outbound_end(const struct worker_app *app)
{
	const struct slots_ask ask = ask_of(app);

	slots_leave(app->slots, &ask);
}

int
outbound_refuse(struct err *err)
{
	err_internal(err, 503, "too many workers ask other systems already");
	return err_tell(err,
	    "too many jobs of other systems come at once; try again in a moment, other tokens are "
	    "not affected");
}
