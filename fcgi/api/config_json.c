#include "api/config_json.h"

#include <inttypes.h>
#include <string.h>

#include "api/cache_hint.h"
#include "crate/registry_config.h"
#include "http/accept.h"

/* All that it says is known with the decision. */
const struct route_need config_json_need = { .action = ACTION_READ_FILES,
	.flag = FLAG_CARGO };

/* Does the client have it? */
static bool
is_known(struct request *rq, const char *etag)
{
	struct accept_etags has;

	accept_etags(rq->arena, request_header(rq, "HTTP_IF_NONE_MATCH"), &has);
	for (size_t i = 0; i < has.n; i++) {
		if (strcmp(has.v[i], etag) == 0)
			return true;
	}
	return has.any;
}

int
config_json_handle(struct call *call, struct request *rq, struct response *rs)
{
	struct slice body = registry_config(rq->arena, call->app->settings->external_url,
	    call->facts.project_id, !access_is_public(&call->facts));

	/* as nginx makes it of the file in the cache */
	const char *etag = arena_printf(rq->arena, "%" PRIx64 "-%zx",
	    (uint64_t)registry_config_time(body), body.n);

	cache_hint_leave(call, rq, slice_of("", 0), slice_of("", 0));
	call_cache_headers(call, rs);
	response_header(rs, "ETag", arena_printf(rq->arena, "\"%s\"", etag));
	if (is_known(rq, etag)) {
		rs->status = 304;
		return 0;
	}
	response_body(rs, 200, "application/json", body);
	return 0;
}
