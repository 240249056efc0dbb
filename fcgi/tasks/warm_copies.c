#include "tasks/task.h"

#include <inttypes.h>

#include "store/blob/blob_warm.h"

enum { DAYS = 7 };

static bool
must_stop(void *ctx)
{
	return task_must_stop(ctx);
}

int
task_warm_copies(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	const struct settings *s = ctx->settings;
	const struct blob_warm warm = { s->store_copies_size, DAYS, must_stop, ctx };
	int64_t n;
	bool more;

	(void)task;
	if (blob_warm(ctx->db, ctx->arena, s->blobs, &warm, &n, &more, err) == -1)
		return -1;
	if (n > 0)
		task_note(ctx, "%" PRId64 " copies fetched", n);
	if (more)
		task_again(ctx, NULL);
	return 0;
}
