#include "tasks/task.h"

#include <inttypes.h>

#include "base/json.h"
#include "base/log.h"
#include "store/package/fsck.h"

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

static int
progress_read(struct arena *a, const struct task *task, struct fsck_progress *progress, struct err *err)
{
	struct json_get get = { .what = "progress", .err = err };
	const char *after_blob = "";
	int64_t step;

	*progress = (struct fsck_progress) { 0 };
	if (task->progress == NULL)
		return 0;
	if (json_parse(a, slice_str(task->progress), "progress", &get.obj, err) == -1 ||
	    json_get_int(&get, "step", true, &step) == -1 ||
	    json_get_int(&get, "after_crate", true, &progress->after_crate) == -1 ||
	    json_get_str(&get, "after_blob", true, &after_blob) == -1 ||
	    json_get_int(&get, "after_version", false, &progress->after_version) == -1 ||
	    json_get_int(&get, "after_quota", false, &progress->after_quota) == -1)
		return -1;
	progress->step = step > FSCK_INDEXES && step <= FSCK_DONE ? (enum fsck_step)step : FSCK_INDEXES;
	snprintf(progress->after_blob, sizeof(progress->after_blob), "%s", after_blob);
	return 0;
}

int
task_check_store(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	struct arena *a = arena_new();
	struct fsck_progress progress;
	int said = 0, rc = progress_read(ctx->arena, task, &progress, err);
	struct fsck f = { .db = ctx->db, .store = ctx->settings->store, .say = say, .arg = &said };

	while (rc == 0 && progress.step != FSCK_DONE && !task_must_stop(ctx)) {
		rc = fsck_go_on(&f, a, &progress, err);
		arena_reset(a);
	}
	arena_free(a);
	if (rc == -1)
		return -1;
	if (progress.step != FSCK_DONE)
		task_again(ctx, arena_printf(ctx->arena,
		    "{\"step\":%d,\"after_crate\":%" PRId64 ",\"after_blob\":\"%s\",\"after_version\":%"
		    PRId64 ",\"after_quota\":%" PRId64 "}", (int)progress.step, progress.after_crate,
		    progress.after_blob, progress.after_version, progress.after_quota));
	if (f.problems > 0)
		task_note(ctx, "%" PRId64 " problems: see berth fsck", f.problems);
	return 0;
}
