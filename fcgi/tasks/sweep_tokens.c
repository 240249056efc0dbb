#include "tasks/task.h"

#include <inttypes.h>

#include "base/json.h"
#include "store/token/token.h"

static int
progress_read(struct arena *a, const struct task *task, int64_t *after, struct err *err)
{
	struct json_get get = { .what = "progress", .err = err };

	*after = 0;
	if (task->progress == NULL)
		return 0;
	return json_parse(a, slice_str(task->progress), "progress", &get.obj, err) == -1
	    ? -1
	    : json_get_int(&get, "after", true, after);
}

int
task_sweep_tokens(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	int64_t after, n, total = 0;

	if (progress_read(ctx->arena, task, &after, err) == -1)
		return -1;
	do {
		if (token_sweep(ctx->db, ctx->arena, ctx->settings->keep_ended_tokens, &after, &n, err) ==
		    -1)
			return -1;
		total += n;
	} while (after != 0 && !task_must_stop(ctx));
	if (after != 0)
		task_again(ctx, arena_printf(ctx->arena, "{\"after\":%" PRId64 "}", after));
	if (total > 0)
		task_note(ctx, "%" PRId64 " tokens removed", total);
	return 0;
}
