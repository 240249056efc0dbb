#include "tasks/task.h"

#include <inttypes.h>

#include "base/log.h"
#include "store/package/fsck.h"
#include "tasks/progress.h"

/* Problems that are logged one by one; berth fsck shows all. */
enum { LOGGED = 20 };

static void
say(void *arg, const struct fsck_problem *problem)
{
	int *said = arg;

	if (++*said <= LOGGED)
		log_error("fsck: %s: %s: %s", fsck_kind_names[problem->kind], problem->subject,
		    problem->detail);
}

int
task_check_store(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	struct arena *a = arena_new();
	struct fsck_progress progress = { 0 };
	int64_t step = 0, problems = 0;
	const struct progress_value values[] = { { .name = "step", .number = &step },
		{ .name = "after_crate", .number = &progress.after_crate },
		{ .name = "after_blob", .text = progress.after_blob, .size = sizeof(progress.after_blob) },
		{ .name = "after_version", .number = &progress.after_version },
		{ .name = "after_quota", .number = &progress.after_quota },
		{ .name = "problems", .number = &problems } };
	const size_t n = sizeof(values) / sizeof(*values);
	int said = 0, rc = progress_read(ctx, task, values, n, err);
	struct fsck f = { .db = ctx->db, .store = ctx->settings->blobs, .say = say, .arg = &said };

	progress.step = step > FSCK_INDEXES && step <= FSCK_DONE ? (enum fsck_step)step : FSCK_INDEXES;
	while (rc == 0 && progress.step != FSCK_DONE && !task_must_stop(ctx)) {
		rc = fsck_go_on(&f, a, &progress, err);
		arena_reset(a);
	}
	problems += f.problems;
	if (rc == 0 && progress.step == FSCK_DONE)
		rc = fsck_note(ctx->db, a, problems, err);
	arena_free(a);
	if (rc == -1)
		return -1;
	step = progress.step;
	if (progress.step != FSCK_DONE)
		progress_again(ctx, values, n);
	if (problems > 0)
		task_note(ctx, "%" PRId64 " problems: `berth fsck` lists them", problems);
	return 0;
}
