#include "jobs/job.h"

#include <inttypes.h>

#include "base/json.h"
#include "store/token.h"

static int
place_read(struct arena *a, const struct job *job, int64_t *after, struct err *err)
{
	struct json_get get = { .what = "progress", .err = err };

	*after = 0;
	if (job->progress == NULL)
		return 0;
	return json_parse(a, slice_str(job->progress), "progress", &get.obj, err) == -1
	    ? -1
	    : json_get_int(&get, "after", true, after);
}

int
job_sweep_tokens(struct job_ctx *ctx, const struct job *job, struct err *err)
{
	int64_t after, n, total = 0;

	if (place_read(ctx->arena, job, &after, err) == -1)
		return -1;
	do {
		if (token_sweep(ctx->db, ctx->arena, ctx->settings->keep_ended_tokens, &after, &n, err) ==
		    -1)
			return -1;
		total += n;
	} while (after != 0 && !job_must_stop(ctx));
	if (after != 0)
		job_again(ctx, arena_printf(ctx->arena, "{\"after\":%" PRId64 "}", after));
	if (total > 0)
		job_note(ctx, "%" PRId64 " tokens removed", total);
	return 0;
}
