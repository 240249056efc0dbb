#include "call/inspect_slot.h"

#include <unistd.h>

const char inspect_slot_reader[] = "pages";

static struct slots_ask
ask_of(const struct worker_app *app, const char *actor)
{
	/* to ask takes longer than to take a slot */
	static long cpus;
	int64_t configured = app->settings->inspect_slots;

	if (cpus == 0)
		cpus = sysconf(_SC_NPROCESSORS_ONLN);
	return (struct slots_ask) {
		.queue = QUEUE_INSPECT,
		.n = configured > 0 ? (size_t)configured : (size_t)(cpus > 4 ? cpus / 2 : 2),
		.n_actor = INSPECT_SLOT_ACTOR,
		.n_here = actor != inspect_slot_reader ? 0 : app_half(app->settings->workers),
		.actor = actor,
	};
}

int
inspect_slot_take(const struct worker_app *app, const char *actor, int64_t until_us)
{
	struct slots_ask ask = ask_of(app, actor);

	ask.until_us = until_us;
	return slots_take(app->slots, &ask);
}

void
inspect_slot_leave(const struct worker_app *app, const char *actor)
{
	const struct slots_ask ask = ask_of(app, actor);

	slots_leave(app->slots, &ask);
}
