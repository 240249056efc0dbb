#include "tasks/task.h"

#include <inttypes.h>

#include "store/token/token.h"
#include "tasks/progress.h"

int
task_sweep_tokens(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	int64_t after, n, total = 0;
	const struct progress_value progress = { .name = "after", .number = &after };

	if (progress_read(ctx, task, &progress, 1, err) == -1)
		return -1;
	do {
		if (token_sweep(ctx->db, ctx->arena, ctx->settings->keep_ended_tokens, &after, &n, err) ==
		    -1)
			return -1;
		total += n;
	} while (after != 0 && !task_must_stop(ctx));
	if (after != 0)
		progress_again(ctx, &progress, 1);
	if (total > 0)
		task_note(ctx, "%" PRId64 " tokens removed", total);
	return 0;
}
