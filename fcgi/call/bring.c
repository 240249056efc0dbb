#include "call/bring.h"

#include "base/clock.h"
#include "call/outbound_slot.h"
#include "store/blob/blob.h"
#include "store/blob/blob_copy.h"

enum { SLOT_WAIT_US = 5 * CLOCK_SECOND, SPARE_US = 3 * CLOCK_SECOND };

/*
 * Half of the workers may wait for an object store or other systems.  A further request is not refused, since
 * cargo asks for all crates of a build at once, and gives up after three more attempts: the worker defers it,
 * or waits for a slot itself if it has deferred too many.
 */
static int
slot_take(struct worker_app *app, struct request *rq, const char *sha256)
{
	bool waits = rq->may_defer && rq->is_behind;

	if (!waits && outbound_slot_take(app, rq, rq->may_defer ? 0 : clock_us() + SLOT_WAIT_US) == 0)
		return 0;
	err_internal(&rq->err, 503, "too many workers are already waiting for the object store");
	(void)err_tell(&rq->err, "the registry's object store is slow; try again in a few seconds");
	return request_defer(rq, sha256);
}

static int
bring(struct worker_app *app, struct request *rq, const char *sha256, int64_t max, const char **path)
{
	const struct blob_store *store = app->settings->blobs;
	int64_t until_us = rq->deadline_us - SPARE_US;
	int rc;

	if (slot_take(app, rq, sha256) == -1)
		return -1;
	rc = path == NULL ? blob_bring(store, rq->arena, sha256, max, until_us, &rq->err)
	    : blob_bring_early(store, rq->arena, sha256, max, until_us, path, &rq->err);
	outbound_slot_leave(app, rq);
	return rc;
}

int
bring_blob(struct worker_app *app, struct request *rq, const char *sha256, int64_t max, const char **path)
{
	const struct blob_store *store = app->settings->blobs;

	if (path != NULL)
		*path = blob_path(rq->arena, sha256);
	if (blob_has_copy(store, sha256))
		return 1;
	/* bytes from an object store are compared with their name, so whose store it is does not matter */
	if (store->kind->copies)
		return bring(app, rq, sha256, max, path);
	return app_store_check(app, rq) == -1 ? -1 : blob_bring(store, rq->arena, sha256, max, 0, &rq->err);
}

bool
bring_resumes(struct worker_app *app, const char *sha256)
{
	return blob_has_copy(app->settings->blobs, sha256) || outbound_slot_reserve(app);
}
