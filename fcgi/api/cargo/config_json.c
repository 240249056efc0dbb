#include "api/cargo/config_json.h"

#include <inttypes.h>
#include <string.h>

#include "call/cache_hint.h"
#include "crate/registry_config.h"
#include "http/accept.h"

/* "api/v4/projects/:id/packages/cargo" */
enum { REGISTRY_SEGMENTS = 6 };

/* All that it says is known with the decision. */
const struct route_policy config_json_policy = { .action = ACTION_READ_FILES,
	.flag = FLAG_CARGO };

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
	if (accept_has_etag(rq->arena, request_header(rq, "HTTP_IF_NONE_MATCH"), etag)) {
		rs->status = 304;
		return 0;
	}
	response_body(rs, 200, "application/json", body);
	return 0;
}

/* Are these the last segments of the path, below the registry? */
static bool
ends_in(const struct request *rq, const char *const *words, size_t n)
{
	if (rq->nsegments < REGISTRY_SEGMENTS + n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct segment *s = &rq->segments[rq->nsegments - n + i];

		if (s->slash || s->text.n != strlen(words[i]) || memcmp(s->text.p, words[i], s->text.n) != 0)
			return false;
	}
	return true;
}

bool
config_json_is_elsewhere(const struct request *rq)
{
	/* what an index over HTTP is asked for first, one in git, and two folders that others have */
	static const struct {
		const char *words[2];
		size_t n;
		bool at_once; /* right below the registry */
	} ends[] = {
		{ { "config.json" }, 1, false },
		{ { "info", "refs" }, 2, false },
		{ { "index" }, 1, true },
		{ { "metadata" }, 1, true },
	};

	if (rq->nsegments == REGISTRY_SEGMENTS)
		return true;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (ends_in(rq, ends[i].words, ends[i].n) &&
		    (!ends[i].at_once || rq->nsegments == REGISTRY_SEGMENTS + ends[i].n))
			return true;
	}
	return false;
}

int
config_json_handle_elsewhere(struct call *call, struct request *rq, struct response *rs)
{
	(void)rs;
	return err_set(&rq->err, 404,
	    "There is no index at this address. In cargo's configuration write index = \"sparse+%s/\"",
	    call_registry_url(call, rq->arena));
}
