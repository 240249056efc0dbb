#include "api/outbound.h"

#include "base/seats.h"

int
outbound_begin(const struct worker_app *app)
{
	int half = (int)app->settings->workers / 2;

	return seats_take(app->seats, half > 0 ? half : 1);
}

void
outbound_end(const struct worker_app *app, int seat)
{
	seats_leave(app->seats, seat);
}

int
outbound_refuse(struct err *err)
{
	err_internal(err, 503, "too many workers ask other systems already");
	return err_tell(err,
	    "too many jobs of other systems come at once; try again in a moment, other tokens are "
	    "not affected");
}
