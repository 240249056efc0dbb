#include "tasks/task.h"

#include "store/blob/blob.h"

/* None that is still under way is as old as two requests and a little more. */
enum { SLACK = 60 };

int
task_sweep_staging(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	const struct settings *s = ctx->settings;
	int n;

	(void)task;
	n = blob_sweep_staging(s->blobs->dir, 2 * s->request_timeout + SLACK, err);
	if (n == -1)
		return -1;
	if (n > 0)
		task_note(ctx, "%d staging files removed", n);
	return 0;
}
