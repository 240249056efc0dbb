#include "jobs/job.h"

#include "store/store_node.h"

int
job_probe_store(struct job_ctx *ctx, const struct job *job, struct err *err)
{
	const char *store = ctx->settings->store;

	(void)job;
	if (store_node_show(ctx->db, ctx->arena, store, ctx->node, err) == -1 ||
	    store_node_look(ctx->db, ctx->arena, store, ctx->node, err) == -1)
		return -1;
	return store_node_sweep(ctx->db, ctx->arena, store, err);
}
