#include "api/config_json.h"

#include "api/cache_hint.h"
#include "crate/registry_config.h"

/* All that it says is known with the decision. */
const struct route_need config_json_need = { .action = ACTION_READ_PACKAGE,
	.flag = FLAG_CARGO };

int
config_json_handle(struct call *call, struct request *rq, struct response *rs)
{
	struct slice body = registry_config(rq->arena, call->app->settings->external_url,
	    call->facts.project_id, !access_is_public(&call->facts));

	cache_hint_leave(call, rq, slice_of("", 0), slice_of("", 0));
	call_cache_headers(call, rs);
	response_body(rs, 200, "application/json", body);
	return 0;
}
