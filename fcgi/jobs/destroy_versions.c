#include "jobs/job.h"

#include <inttypes.h>

#include "store/version_delete.h"

int
job_destroy_versions(struct job_ctx *ctx, const struct job *job, struct err *err)
{
	int64_t n, total = 0;

	(void)job;
	do {
		if (version_destroy(ctx->db, ctx->arena, ctx->settings->deletion_grace, &n, err) == -1)
			return -1;
		total += n;
	} while (n > 0 && !job_must_stop(ctx));
	if (n > 0)
		job_again(ctx, NULL);
	if (total > 0)
		job_note(ctx, "%" PRId64 " versions destroyed", total);
	return 0;
}
