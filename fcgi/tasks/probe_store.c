#include "tasks/task.h"

#include <inttypes.h>

#include "store/blob/blob.h"
#include "store/blob/blob_copies.h"
#include "store/blob/blob_store.h"
#include "store/blob/store_node.h"
#include "store/token/token_slot.h"

/*
 * Trims the files that this node keeps for an object store: its copies, and the remains of publishes in
 * staging.
 */
static int
trim_copies(struct task_ctx *ctx, struct err *err)
{
	const struct settings *s = ctx->settings;
	int64_t removed;

	if (!s->blobs->kind->copies)
		return 0;
	if (blob_copies_trim(s->blobs, s->store_copies_size, s->keep_unused, &removed, err) == -1 ||
	    blob_sweep_staging(s->blobs->dir, settings_staging_age(s), err) == -1)
		return -1;
	if (removed > 0)
		task_note(ctx, "%" PRId64 " copies removed", removed);
	return 0;
}

/* Shows this node to the others, and looks for them. */
static int
meet_nodes(struct task_ctx *ctx, struct err *err)
{
	const struct settings *s = ctx->settings;
	const struct store_node self = { ctx->node, s->external_url, token_slot_text(ctx->arena, s->token_key) };
	bool refused;

	/* show it first: a node whose store refuses only reads still lives */
	if (store_node_show(ctx->db, ctx->arena, s->blobs, &self, err) == -1 ||
	    /* a node alone looks for no other one, so it would only write */
	    blob_store_ask(ctx->arena, s->blobs, &refused, err) == -1 ||
	    store_node_look(ctx->db, ctx->arena, s->blobs, ctx->node, err) == -1)
		return -1;
	return store_node_sweep(ctx->db, ctx->arena, s->blobs, err);
}

/* Each half runs also if the other one fails: a node that cannot trim its copies still lives. */
int
task_probe_store(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	struct err second = { 0 };
	int met = meet_nodes(ctx, err);
	int trimmed = trim_copies(ctx, met == 0 ? err : &second);

	(void)task;
	return met == 0 ? trimmed : -1;
}
