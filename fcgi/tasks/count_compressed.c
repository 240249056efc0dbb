#include "tasks/task.h"

#include <inttypes.h>
#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "store/package/download.h"
#include "tasks/log_count.h"

/* What an earlier run has found whole: its size, and when it was last changed. */
struct checked {
	int64_t size, changed;
};

static int
task_read(struct arena *a, const struct task *task, const char **log, struct checked *checked,
    struct err *err)
{
	struct json_get args = { .what = "arguments", .err = err };
	struct json_get progress = { .what = "progress", .err = err };

	*checked = (struct checked) { -1, -1 };
	if (json_parse(a, slice_str(task->args), "arguments", &args.obj, err) == -1 ||
	    json_get_str(&args, "log", true, log) == -1)
		return -1;
	if (task->progress == NULL)
		return 0;
	if (json_parse(a, slice_str(task->progress), "progress", &progress.obj, err) == -1 ||
	    json_get_int(&progress, "size", true, &checked->size) == -1)
		return -1;
	return json_get_int(&progress, "changed", true, &checked->changed);
}

static int
find(struct task_ctx *ctx, const char *log, struct log_file **file, struct err *err)
{
	struct log_file *files;
	size_t n;

	*file = NULL;
	if (log_files_find(ctx->arena, ctx->settings->download_log, &files, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (files[i].compressed && strcmp(files[i].fingerprint, log) == 0)
			*file = &files[i];
	}
	return 0;
}

/* Nothing of a log counts unless all of it is as it was written. */
static int
count(struct log_count *c, struct log_file *f, const struct checked *checked, struct err *err)
{
	const struct download_log log = { .node = c->ctx->node, .fingerprint = f->fingerprint };

	if ((f->size != checked->size || f->changed != checked->changed) &&
	    log_file_check(c->ctx->arena, f, c->piece, LOG_PIECE, err) == -1)
		return -1;
	FAULT_POINT("count", "checked");
	if (log_count_file(c, f, err) == -1)
		return -1;
	if (c->more)
		task_again(c->ctx, arena_printf(c->ctx->arena,
		    "{\"size\":%" PRId64 ",\"changed\":%" PRId64 "}", f->size, f->changed));
	/* another process reads this log: its task comes again with the next look at the directory */
	return c->more || c->lost ? 0 : download_log_finish(c->ctx->db, c->ctx->arena, &log, err);
}

int
task_count_compressed(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	struct checked checked;
	struct log_file *f;
	struct log_count c;
	const char *log;

	if (task_read(ctx->arena, task, &log, &checked, err) == -1)
		return -1;
	if (ctx->settings->download_log[0] == '\0')
		return 0;
	if (find(ctx, log, &f, err) == -1)
		return -1;
	/* the log has gone, or has another fingerprint since its compression has ended */
	if (f == NULL)
		return 0;
	log_count_init(&c, ctx, log_count_downloads);
	if (count(&c, f, &checked, err) == -1)
		return -1;
	log_count_note(&c, "downloads", "berth_download");
	return 0;
}
