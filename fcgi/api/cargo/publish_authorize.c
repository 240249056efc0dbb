#include "api/cargo/publish_authorize.h"

#include "auth/rate_limit.h"
#include "config/publish_policy.h"
#include "crate/frame.h"
#include "store/package/quota.h"

enum { FRAME_OVERHEAD = 8 }; /* the two lengths */

const struct route_policy publish_authorize_policy = { .action = ACTION_CREATE_PACKAGE,
	.flag = FLAG_CARGO };

/*
 * The least that the crate of the announced body has: whatever is in it besides is no more than
 * frame and metadata may be.
 */
static int64_t
least_crate_size(const struct request *rq, const struct publish_policy *policy)
{
	int64_t least = rq->content_length - FRAME_OVERHEAD - (int64_t)policy->max_metadata_size;

	return least > 1 ? least : 1;
}

int
publish_authorize_handle(struct call *call, struct request *rq, struct response *rs)
{
	struct db_call quota = { 0 };
	int64_t need[QUOTA__MAX] = { [QUOTA_VERSIONS] = 1 };
	struct publish_policy policy;
	int64_t most;

	if (publish_policy_read(rq->arena, call->app->settings, call->facts.project_id, call->project_policy,
	        &policy, &rq->err) == -1 ||
	    app_store_check(call->app, rq) == -1)
		return -1;
	most = FRAME_OVERHEAD + (int64_t)policy.max_metadata_size + policy.max_crate_size;
	/* of the body that waits; of one that comes in pieces it is not known */
	if (rq->content_length > most)
		return frame_refuse_crate(policy.max_crate_size, &rq->err);
	need[QUOTA_BYTES] = least_crate_size(rq, &policy);
	quota_look_call(&quota, call->facts.project_id, need[QUOTA_BYTES], NULL);
	if (rate_limit_look_publish(call, rq, &quota) == -1 ||
	    quota_judge_least(&quota, need, &rq->err) == -1)
		return -1;
	rs->status = 204;
	return 0;
}
