#include "tasks/task.h"

#include <inttypes.h>

#include "base/json.h"
#include "store/package/search.h"

static int
progress_read(struct arena *a, const struct task *task, int64_t *after, struct err *err)
{
	struct json_get get = { .what = "progress", .err = err };

	*after = 0;
	if (task->progress == NULL)
		return 0;
	return json_parse(a, slice_str(task->progress), "progress", &get.obj, err) == -1
	    ? -1
	    : json_get_int(&get, "after", true, after);
}

int
task_weigh_crates(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	struct arena *a = arena_new();
	int64_t after, n, total = 0;
	int rc = progress_read(ctx->arena, task, &after, err);

	if (rc == 0)
		do {
			rc = search_weigh(ctx->db, a, &after, &n, err);
			total += rc == 0 ? n : 0;
			arena_reset(a);
		} while (rc == 0 && after != 0 && !task_must_stop(ctx));
	arena_free(a);
	if (rc == -1)
		return -1;
	if (after != 0)
		task_again(ctx, arena_printf(ctx->arena, "{\"after\":%" PRId64 "}", after));
	if (total > 0)
		task_note(ctx, "%" PRId64 " crates have a new weight", total);
	return 0;
}
