#include "api/publish_authorize.h"

#include <inttypes.h>

#include "api/limits.h"
#include "api/publish_policy.h"

enum { FRAME_OVERHEAD = 8 }; /* the two lengths */

const struct route_need publish_authorize_need = { .action = ACTION_CREATE_PACKAGE,
	.flag = FLAG_CARGO, .prefetch = publish_policy_prefetch };

int
publish_authorize_handle(struct worker_app *app, struct request *rq, struct response *rs)
{
	struct publish_policy policy;
	int64_t most;

	if (publish_policy_read(app, rq->arena, &policy, &rq->err) == -1)
		return -1;
	most = FRAME_OVERHEAD + (int64_t)policy.max_metadata_size + policy.max_crate_size;
	/* of the body that waits; of one that comes in pieces it is not known */
	if (rq->content_length > most)
		return err_set(&rq->err, 413, "max upload size is: %" PRIu32, policy.max_crate_size);
	if (limits_look_publish(app, rq) == -1)
		return -1;
	rs->status = 204;
	return 0;
}
