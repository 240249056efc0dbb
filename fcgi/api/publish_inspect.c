#include "api/publish_inspect.h"

#include <inttypes.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/fault.h"
#include "crate/verdict.h"

/* Exit statuses of berth-inspect (berth-inspect(1)). */
enum { EXIT_ACCEPTED = 0, EXIT_REFUSED = 1 };

static int64_t
inspect_deadline(const struct worker_app *app, const struct request *rq)
{
	int64_t own = clock_us() + app->settings->inspect_timeout * 1000000;

	return rq->deadline_us != 0 && rq->deadline_us < own ? rq->deadline_us : own;
}

int
publish_inspect(struct worker_app *app, struct request *rq, const struct intake *intake,
    struct package *manifest)
{
	const struct package *metadata = &intake->metadata;
	const char *argv[] = { app->settings->inspector, "-s",
		arena_printf(rq->arena, "%" PRId64, intake->policy->max_unpacked_size), "-e",
		arena_printf(rq->arena, "%" PRId64, intake->policy->max_entries), "-f",
		arena_printf(rq->arena, "%s-%s", metadata->name, metadata->version), NULL };
	struct child_result child;
	struct verdict verdict;
	int fd = blob_stage_fd(intake->crate, &rq->err);

	FAULT_POINT("publish", "inspect");
	if (fd == -1 ||
	    child_run(rq->arena, argv, fd, VERDICT_MAX, inspect_deadline(app, rq), &child, &rq->err) == -1)
		return -1;
	if (!WIFEXITED(child.status) || WEXITSTATUS(child.status) > EXIT_REFUSED)
		return err_internal(&rq->err, 500, "inspector ended with wait status %#x",
		    (unsigned)child.status);
	if (verdict_decode(rq->arena, child.output, &verdict, &rq->err) == -1)
		return -1;
	if (verdict.accepted != (WEXITSTATUS(child.status) == EXIT_ACCEPTED))
		return err_internal(&rq->err, 500, "inspector's verdict and exit status differ");
	if (!verdict.accepted)
		return err_set(&rq->err, 400, "%s", verdict.error);
	*manifest = verdict.package;
	return 0;
}
