#include "tasks/task.h"

#include "store/package/download.h"
#include "tasks/log_count.h"

/* Those that are compressed take long, and may be damaged: each of them is a task of its own. */
static int
leave_compressed(struct task_ctx *ctx, const struct log_file *files, size_t n, struct err *err)
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
		const struct task_new task = { .kind = "count_compressed", .node = ctx->node,
			.key = arena_printf(ctx->arena, "%s %s", ctx->node, fingerprints[i]),
			.args = arena_printf(ctx->arena, "{\"log\":\"%s\"}", fingerprints[i]) };

		if (task_add_missing(ctx->db, ctx->arena, &task, err) == -1)
			return -1;
	}
	return 0;
}

int
task_count_downloads(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	struct log_file *files;
	struct log_count c;
	size_t n;

	(void)task;
	if (ctx->settings->download_log[0] == '\0')
		return 0;
	log_count_init(&c, ctx, log_count_downloads);
	if (log_count_all(&c, ctx->settings->download_log, "downloads", "berth_download", &files, &n, err) == -1)
		return -1;
	return leave_compressed(ctx, files, n, err);
}
