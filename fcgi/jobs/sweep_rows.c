#include "jobs/job.h"

#include <inttypes.h>

#include "store/ci_token.h"
#include "store/write_limit.h"

/* Removes some rows, and tells how many. */
typedef int sweep_some(struct db *, struct arena *, int64_t *n, struct err *);

static int
sweep(struct job_ctx *ctx, sweep_some *some, const char *what, struct err *err)
{
	int64_t n, total = 0;

	do {
		if (some(ctx->db, ctx->arena, &n, err) == -1)
			return -1;
		total += n;
	} while (n > 0 && !job_must_stop(ctx));
	if (n > 0)
		job_again(ctx, NULL);
	if (total > 0)
		job_note(ctx, "%" PRId64 " %s removed", total, what);
	return 0;
}

int
job_sweep_limits(struct job_ctx *ctx, const struct job *job, struct err *err)
{
	(void)job;
	return sweep(ctx, write_limit_sweep, "buckets", err);
}

int
job_sweep_ci_tokens(struct job_ctx *ctx, const struct job *job, struct err *err)
{
	(void)job;
	return sweep(ctx, ci_token_sweep, "digests", err);
}
