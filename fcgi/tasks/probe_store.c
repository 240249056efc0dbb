#include "tasks/task.h"

#include "store/blob/store_node.h"

int
task_probe_store(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	const char *store = ctx->settings->store;

	(void)task;
	if (store_node_show(ctx->db, ctx->arena, store, ctx->node, err) == -1 ||
	    store_node_look(ctx->db, ctx->arena, store, ctx->node, err) == -1)
		return -1;
	return store_node_sweep(ctx->db, ctx->arena, store, err);
}
