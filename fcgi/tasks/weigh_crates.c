#include "tasks/task.h"

#include <inttypes.h>

#include "store/package/search.h"
#include "tasks/progress.h"

int
task_weigh_crates(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	struct arena *a = arena_new();
	int64_t after, n, total = 0;
	const struct progress_value progress = { .name = "after", .number = &after };
	int rc = progress_read(ctx, task, &progress, 1, err);

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
		progress_again(ctx, &progress, 1);
	if (total > 0)
		task_note(ctx, "%" PRId64 " crates have a new weight", total);
	return 0;
}
