#include "jobs/job.h"

#include "jobs/log_count.h"
#include "store/download.h"

/* Those that are compressed take long, and may be damaged: each of them is a job of its own. */
static int
leave_compressed(struct job_ctx *ctx, const struct log_file *files, size_t n, struct err *err)
{
	const char **fingerprints = arena_calloc(ctx->arena, n, sizeof(*fingerprints));
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (files[i].compressed)
			fingerprints[k++] = files[i].fingerprint;
	}
	if (k == 0)
		return 0;
	if (download_logs_unfinished(ctx->db, ctx->arena, ctx->node, fingerprints, &k, err) == -1)
		return -1;
	for (size_t i = 0; i < k; i++) {
		const struct job_new job = { .kind = "count_compressed", .node = ctx->node,
			.key = arena_printf(ctx->arena, "%s %s", ctx->node, fingerprints[i]),
			.args = arena_printf(ctx->arena, "{\"log\":\"%s\"}", fingerprints[i]) };

		if (job_add_missing(ctx->db, ctx->arena, &job, err) == -1)
			return -1;
	}
	return 0;
}

int
job_count_downloads(struct job_ctx *ctx, const struct job *job, struct err *err)
{
	struct log_file *files;
	struct log_count c;
	size_t n;

	(void)job;
	if (ctx->settings->download_log[0] == '\0')
		return 0;
	if (log_files_find(ctx->arena, ctx->settings->download_log, &files, &n, err) == -1)
		return -1;
	log_count_init(&c, ctx);
	for (size_t i = 0; i < n && !c.more; i++) {
		if (!files[i].compressed && log_count_file(&c, &files[i], err) == -1)
			return -1;
	}
	log_count_note(&c);
	if (c.more)
		job_again(ctx, NULL);
	return leave_compressed(ctx, files, n, err);
}
