#include "tasks/task.h"

#include <inttypes.h>

#include "store/package/version_delete.h"
#include "store/token/ci_token.h"
#include "store/token/rate_limit.h"

/* Removes some rows, and tells how many. */
typedef int sweep_some(struct task_ctx *, int64_t *n, struct err *);

static int
sweep(struct task_ctx *ctx, sweep_some *some, const char *what, struct err *err)
{
	int64_t n, total = 0;

	do {
		if (some(ctx, &n, err) == -1)
			return -1;
		total += n;
	} while (n > 0 && !task_must_stop(ctx));
	if (n > 0)
		task_again(ctx, NULL);
	if (total > 0)
		task_note(ctx, "%" PRId64 " %s", total, what);
	return 0;
}

static int
some_limits(struct task_ctx *ctx, int64_t *n, struct err *err)
{
	return rate_limit_sweep(ctx->db, ctx->arena, n, err);
}

int
task_sweep_limits(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	(void)task;
	return sweep(ctx, some_limits, "buckets removed", err);
}

static int
some_ci_tokens(struct task_ctx *ctx, int64_t *n, struct err *err)
{
	return ci_token_sweep(ctx->db, ctx->arena, n, err);
}

int
task_sweep_ci_tokens(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	(void)task;
	return sweep(ctx, some_ci_tokens, "digests removed", err);
}

static int
some_versions(struct task_ctx *ctx, int64_t *n, struct err *err)
{
	return version_destroy(ctx->db, ctx->arena, ctx->settings->deletion_grace, n, err);
}

int
task_destroy_versions(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	(void)task;
	return sweep(ctx, some_versions, "versions destroyed", err);
}
