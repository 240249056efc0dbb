#include "jobs/job.h"

#include <inttypes.h>

#include "store/ci_token.h"
#include "store/version_delete.h"
#include "store/write_limit.h"

/* Removes some rows, and tells how many. */
typedef int sweep_some(struct job_ctx *, int64_t *n, struct err *);

static int
sweep(struct job_ctx *ctx, sweep_some *some, const char *what, struct err *err)
{
	int64_t n, total = 0;

	do {
		if (some(ctx, &n, err) == -1)
			return -1;
		total += n;
	} while (n > 0 && !job_must_stop(ctx));
	if (n > 0)
		job_again(ctx, NULL);
	if (total > 0)
		job_note(ctx, "%" PRId64 " %s", total, what);
	return 0;
}

static int
some_limits(struct job_ctx *ctx, int64_t *n, struct err *err)
{
	return write_limit_sweep(ctx->db, ctx->arena, n, err);
}

int
job_sweep_limits(struct job_ctx *ctx, const struct job *job, struct err *err)
{
	(void)job;
	return sweep(ctx, some_limits, "buckets removed", err);
}

static int
some_ci_tokens(struct job_ctx *ctx, int64_t *n, struct err *err)
{
	return ci_token_sweep(ctx->db, ctx->arena, n, err);
}

int
job_sweep_ci_tokens(struct job_ctx *ctx, const struct job *job, struct err *err)
{
	(void)job;
	return sweep(ctx, some_ci_tokens, "digests removed", err);
}

static int
some_versions(struct job_ctx *ctx, int64_t *n, struct err *err)
{
	return version_destroy(ctx->db, ctx->arena, ctx->settings->deletion_grace, n, err);
}

int
job_destroy_versions(struct job_ctx *ctx, const struct job *job, struct err *err)
{
	(void)job;
	return sweep(ctx, some_versions, "versions destroyed", err);
}
