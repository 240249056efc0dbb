#include "tasks/task.h"

#include <inttypes.h>

#include "base/fault.h"
#include "store/package/crate_due.h"

int
task_search_is_due(struct db *db, struct arena *a, bool *due, struct err *err)
{
	return crate_due_any(db, a, due, err);
}

int
task_update_search(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	struct arena *a = arena_new();
	int64_t n, total = 0;
	int rc;

	(void)task;
	do {
		rc = crate_due_update(ctx->db, a, &n, err);
		total += rc == 0 ? n : 0;
		arena_reset(a);
		FAULT_POINT("update_search", "some");
	} while (rc == 0 && n > 0 && !task_must_stop(ctx));
	arena_free(a);
	if (rc == -1)
		return -1;
	if (n > 0)
		task_again(ctx, NULL);
	if (total > 0)
		task_note(ctx, "%" PRId64 " changes of crates", total);
	return 0;
}
