#include "tasks/task.h"

#include <inttypes.h>

#include "store/package/retention.h"
#include "tasks/progress.h"

/* Where a run that had to stop goes on. */
struct progress {
	int64_t project; /* this one or the next */
	int64_t after_crate;
};

/*
 * Some crates of the project; *n counts what was deleted.  Where it has to stop among them they are
 * looked at again: what was deleted is no more among them, so that each run comes further.
 */
static int
run_page(struct task_ctx *ctx, struct arena *a, const struct retention *r, struct progress *progress,
    bool *more, int64_t *n, struct err *err)
{
	const struct audit_actor actor = { .system_user = "berth-worker", .host = ctx->node };
	int64_t from = progress->after_crate;
	struct retention_item *items;
	size_t nitems;

	if (retention_page(ctx->db, a, r, &progress->after_crate, more, &items, &nitems, err) == -1)
		return -1;
	for (size_t i = 0, done; i < nitems; i += done) {
		if (retention_delete(ctx->db, &actor, r, &items[i], nitems - i, &done, err) == -1)
			return -1;
		*n += (int64_t)done;
		if (i + done < nitems && task_must_stop(ctx)) {
			progress->after_crate = from;
			*more = true;
			return 0;
		}
	}
	return 0;
}

/* One step: a page of the project in hand, whose policy is read anew each time.  *done: all is. */
static int
step(struct task_ctx *ctx, struct arena *a, struct progress *progress, bool *done, int64_t *n,
    struct err *err)
{
	struct retention r;
	bool more;

	if (retention_next(ctx->db, a, progress->project, &r, err) == -1)
		return -1;
	*done = !r.exists;
	if (*done)
		return 0;
	if (r.project_id != progress->project)
		*progress = (struct progress) { .project = r.project_id };
	if (run_page(ctx, a, &r, progress, &more, n, err) == -1)
		return -1;
	if (!more)
		*progress = (struct progress) { .project = r.project_id + 1 };
	return 0;
}

int
task_apply_retention(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	struct arena *a = arena_new();
	struct progress progress;
	const struct progress_value values[] = { { .name = "project", .number = &progress.project },
		{ .name = "after_crate", .number = &progress.after_crate } };
	bool done = false;
	int64_t n = 0;
	int rc = progress_read(ctx, task, values, 2, err);

	while (rc == 0 && !done && !task_must_stop(ctx)) {
		rc = step(ctx, a, &progress, &done, &n, err);
		arena_reset(a);
	}
	arena_free(a);
	if (rc == -1)
		return -1;
	if (!done)
		progress_again(ctx, values, 2);
	if (n > 0)
		task_note(ctx, "%" PRId64 " versions deleted", n);
	return 0;
}
