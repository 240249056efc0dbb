#include "jobs/job.h"

#include <inttypes.h>

#include "store/write_limit.h"

int
job_sweep_limits(struct job_ctx *ctx, const struct job *job, struct err *err)
{
	int64_t n, total = 0;

	(void)job;
	do {
		if (write_limit_sweep(ctx->db, ctx->arena, &n, err) == -1)
			return -1;
		total += n;
	} while (n > 0 && !job_must_stop(ctx));
	if (n > 0)
		job_again(ctx, NULL);
	if (total > 0)
		job_note(ctx, "%" PRId64 " buckets removed", total);
	return 0;
}
