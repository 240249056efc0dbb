#include "tasks/task.h"

#include "base/log.h"
#include "net/https_peer.h"
#include "store/health.h"

enum { PATIENCE_MS = 5000 };

int
task_check_certificate(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	const char *url = ctx->settings->external_url;
	struct https_peer peer;
	struct err why = { 0 };

	(void)task;
	if (https_peer(url, PATIENCE_MS, &peer, &why) == 0)
		return health_note_certificate(ctx->db, ctx->arena, ctx->node, peer.not_after, err);
	/*
	 * the task does not fail: an attempt a moment later would find the same, and `berth check` says why,
	 * too
	 */
	log_warn("cannot see the certificate of %s: %s", url, why.detail);
	return health_note_certificate(ctx->db, ctx->arena, ctx->node, 0, err);
}
