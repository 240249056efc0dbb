#include "tasks/task.h"

#include <inttypes.h>
#include <stdio.h>

#include "store/package/retention.h"
#include "tasks/progress.h"

enum { FAILED_RETRY_S = 6 * 3600 };

struct run {
	struct task_ctx *ctx;
	/* where a run that had to stop goes on: this project or the next */
	int64_t project;
	int64_t after_crate;
	/* the first crate whose versions it could not delete, and why; "": none */
	char failed[ERR_PUB_SIZE + ERR_DETAIL_SIZE];
	int64_t n; /* what was deleted */
};

/*
 * Deletes versions of the first crate of the n; *done: how many of the n it has dealt with.  If a crate
 * fails, the task goes on with the next one, and reports the first failure at its end.
 */
static int
delete_some(struct run *run, const struct retention *r, struct retention_item *items, size_t n, size_t *done,
    struct err *err)
{
	const struct audit_actor actor = { .system_user = AUDIT_WORKER, .host = run->ctx->node };

	int rc = retention_delete(run->ctx->db, &actor, r, items, n, done, err);

	for (size_t i = 0; i < *done; i++)
		run->n += items[i].why != RETENTION_KEEP;
	if (rc == 0)
		return 0;
	if (db_fd(run->ctx->db) == -1)
		return -1;
	if (run->failed[0] == '\0')
		snprintf(run->failed, sizeof(run->failed), "%s, crate %s: %s", r->project, items[0].crate,
		    err->detail[0] != '\0' ? err->detail : err->pub);
	err_clear(err);
	return 0;
}

/*
 * Some crates of the project.  Where it has to stop among them they are looked at again: what was deleted is
 * no more among them, so that each run comes further.
 */
static int
run_page(struct run *run, struct arena *a, const struct retention *r, bool *more, struct err *err)
{
	int64_t from = run->after_crate;
	struct retention_item *items;
	size_t nitems;

	if (retention_page(run->ctx->db, a, r, &run->after_crate, more, &items, &nitems, err) == -1)
		return -1;
	for (size_t i = 0, done; i < nitems; i += done) {
		if (delete_some(run, r, &items[i], nitems - i, &done, err) == -1)
			return -1;
		if (i + done < nitems && task_must_stop(run->ctx)) {
			run->after_crate = from;
			*more = true;
			return 0;
		}
	}
	return 0;
}

/* One step: a page of the project in hand, whose policy is read anew each time.  *done: all is. */
static int
step(struct run *run, struct arena *a, bool *done, struct err *err)
{
	struct retention r;
	bool more;

	if (retention_next(run->ctx->db, a, run->project, &r, err) == -1)
		return -1;
	*done = !r.exists;
	if (*done)
		return 0;
	if (r.project_id != run->project) {
		run->project = r.project_id;
		run->after_crate = 0;
	}
	if (run_page(run, a, &r, &more, err) == -1)
		return -1;
	if (!more) {
		run->project++;
		run->after_crate = 0;
	}
	return 0;
}

int
task_apply_retention(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	struct arena *a = arena_new();
	struct run run = { .ctx = ctx };
	const struct progress_value values[] = { { .name = "project", .number = &run.project },
		{ .name = "after_crate", .number = &run.after_crate },
		{ .name = "failed", .text = run.failed, .size = sizeof(run.failed) } };
	const size_t n = sizeof(values) / sizeof(*values);
	bool done = false;
	int rc = progress_read(ctx, task, values, n, err);

	while (rc == 0 && !done && !task_must_stop(ctx)) {
		rc = step(&run, a, &done, err);
		arena_reset(a);
	}
	arena_free(a);
	if (rc == -1)
		return -1;
	if (!done)
		progress_again(ctx, values, n);
	if (run.n > 0)
		task_note(ctx, "%" PRId64 " versions deleted", run.n);
	if (!done || run.failed[0] == '\0')
		return 0;
	task_hold(ctx, FAILED_RETRY_S);
	return err_internal(err, 500, "not all versions are deleted that policies select; the first error: %s",
	    run.failed);
}
