#include "api/cargo/publish_inspect.h"

#include <sys/wait.h>

#include "auth/rate_limit.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "call/inspect_slot.h"
#include "call/patience.h"
#include "crate/inspect/inspector.h"
#include "crate/inspect/job.h"
#include "crate/inspect/verdict.h"

enum {
	WAIT_US = 20 * CLOCK_SECOND, /* the wait for a slot: cargo does not publish again by itself */
	SHORT_WAIT_US = 2 * CLOCK_SECOND /* where many wait: a slot is free that soon, unless crates are large */
};

struct publish_inspection {
	const struct worker_app *app;
	const struct request *rq;
	bool confirmed;
};

int
publish_inspect_begin(struct call *call, struct request *rq)
{
	const char *actor = limits_actor(rq->arena, &call->facts);
	int64_t now = clock_us(), wait;
	bool holds, taken;

	/* most often one is free */
	if (inspect_slot_take(call->app, actor, 0) == 0)
		return 0;
	holds = patience_hold(call, actor, 0);
	wait = holds ? WAIT_US : SHORT_WAIT_US;
	/* an inspection that starts late still needs time */
	if (rq->deadline_us != 0 && wait > (rq->deadline_us - now) / 4 * 3)
		wait = (rq->deadline_us - now) / 4 * 3;
	taken = inspect_slot_take(call->app, actor, now + wait) == 0;
	if (holds)
		patience_release(call, actor);
	if (taken)
		return 0;
	err_internal(&rq->err, 503, "no slot to inspect the crate was free in time");
	return err_tell(&rq->err,
	    "too many crates are being published at this moment; please try again in a minute");
}

static int64_t
inspect_deadline(const struct worker_app *app, const struct request *rq)
{
	int64_t own = clock_us() + app->settings->inspect_timeout * CLOCK_SECOND;

	return rq->deadline_us != 0 && rq->deadline_us < own ? rq->deadline_us : own;
}

/* Logs the inspector's standard error, which is no part of its verdict. */
static void
log_errors(const struct request *rq, struct slice errors)
{
	struct log_line l;

	if (errors.n == 0)
		return;
	log_begin(&l, LOG_WARN, "inspector");
	log_str(&l, "id", slice_str(rq->id));
	log_str(&l, "stderr", errors);
	log_end(&l);
}

/* Waits for the verdict. */
static int
inspect(const struct worker_app *app, struct request *rq, const struct upload *upload,
    struct inspector_result *result)
{
	const struct package *metadata = &upload->metadata;
	const struct job job = { .kind = JOB_INSPECT, .limits = {
		.max_unpacked = (uint64_t)upload->policy->max_unpacked_size,
		.max_entries = (uint64_t)upload->policy->max_entries,
		.folder = arena_printf(rq->arena, "%s-%s", metadata->name, metadata->version),
	} };
	int fd = blob_stage_fd(upload->crate, &rq->err);

	FAULT_POINT("publish", "inspect");
	if (fd == -1)
		return -1;
	return inspector_ask(app->inspector, rq->arena, &job, fd, inspect_deadline(app, rq), result, &rq->err);
}

/* Waits for the end of the process.  Returns its exit status, or -1: err. */
static int
await_exit(const struct worker_app *app, const struct request *rq, struct err *err)
{
	struct inspector_result result = { .errors = slice_str("") };
	int rc = inspector_end(app->inspector, &result, err);

	log_errors(rq, result.errors);
	return rc == -1 || inspector_check_status(&result, err) == -1 ? -1 : WEXITSTATUS(result.status);
}

static int
refuse_status(const char *verdict, int status, struct err *err)
{
	return err_internal(err, 500, "the inspector's verdict and exit status differ: it has %s the crate, and "
	    "exited with %d", verdict, status);
}

int
publish_inspect_confirm(void *arg, struct err *err)
{
	struct publish_inspection *inspection = arg;
	int status;

	if (inspection->confirmed)
		return 0;
	status = await_exit(inspection->app, inspection->rq, err);
	inspection->confirmed = status == JOB_ACCEPTED;
	return status == -1 ? -1 : status == JOB_ACCEPTED ? 0 : refuse_status("accepted", status, err);
}

/*
 * Ends the inspection if its publish was refused, so that the log has what the inspector has written.  If it
 * has ended already, with an error, this does nothing.
 */
static void
drop(void *arg)
{
	const struct publish_inspection *inspection = arg;
	struct err ignored = { 0 };

	if (!inspection->confirmed)
		(void)await_exit(inspection->app, inspection->rq, &ignored);
}

static struct publish_inspection *
keep(const struct worker_app *app, const struct request *rq)
{
	struct publish_inspection *inspection = arena_alloc(rq->arena, sizeof(*inspection));

	*inspection = (struct publish_inspection) { .app = app, .rq = rq };
	arena_defer(rq->arena, drop, inspection);
	return inspection;
}

int
publish_inspect(struct call *call, struct request *rq, const struct upload *upload, struct package *manifest,
    struct publish_inspection **inspection)
{
	struct inspector_result result = { .errors = slice_str("") };
	struct verdict verdict = { .accepted = false };
	struct err why = { 0 };
	int rc = inspect(call->app, rq, upload, &result), status;

	inspect_slot_leave(call->app, limits_actor(rq->arena, &call->facts));
	if (rc == -1) {
		log_errors(rq, result.errors);
		return -1;
	}
	if (verdict_decode(rq->arena, result.verdict, &verdict, &why) == 0 && verdict.accepted) {
		*manifest = verdict.package;
		*inspection = keep(call->app, rq);
		return 0;
	}
	status = await_exit(call->app, rq, &rq->err);
	if (status == -1)
		return -1;
	if (why.status != 0)
		rq->err = why;
	else if (status != JOB_REFUSED)
		return refuse_status("refused", status, &rq->err);
	else
		err_set(&rq->err, 400, "%s", verdict.error);
	return -1;
}
