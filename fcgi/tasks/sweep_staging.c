#include "tasks/task.h"

#include "store/blob/blob.h"

int
task_sweep_staging(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	const struct settings *s = ctx->settings;
	int n;

	(void)task;
	n = blob_sweep_staging(s->blobs->dir, settings_staging_age(s), err);
	if (n == -1)
		return -1;
	if (n > 0)
		task_note(ctx, "%d staging files removed", n);
	return 0;
}
