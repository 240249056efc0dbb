#include "api/cargo/config_json.h"

#include <inttypes.h>
#include <string.h>

#include "call/cache_hint.h"
#include "crate/registry_config.h"
#include "http/accept.h"
#include "store/package/view.h"

/* "api/v4/projects/:id/packages/cargo", "api/v4/groups/:group/-/packages/cargo" */
static size_t
registry_segments(const struct request *rq)
{
	return call_is_view(rq) ? 7 : 6;
}

/* The decision reads everything that the answer needs. */
const struct route_policy config_json_policy = { .action = ACTION_READ_FILES,
	.flag = FLAG_CARGO };

static int
config_json_group_read(struct request *rq, const struct namespace_ref *group, struct db_call *call)
{
	(void)rq;
	view_config_call(call, group->id);
	return 0;
}

const struct route_policy config_json_group_policy = { .action = ACTION_READ_FILES,
	.namespace_kind = NAMESPACE_GROUP, .flag = FLAG_CARGO, .read = config_json_group_read };

static int
respond(struct call *call, struct request *rq, struct response *rs, bool is_public)
{
	struct slice body = registry_config(rq->arena, call_registry_url(call, rq->arena), !is_public);

	/* the same that nginx makes for the file in the cache */
	const char *etag = arena_printf(rq->arena, "%" PRIx64 "-%zx",
	    (uint64_t)registry_config_time(body), body.n);

	cache_hint_leave(call, rq, slice_of("", 0), slice_of("", 0));
	call_cache_headers(call, rs, is_public);
	response_header(rs, "ETag", arena_printf(rq->arena, "\"%s\"", etag));
	if (accept_has_etag(rq->arena, request_header(rq, "HTTP_IF_NONE_MATCH"), etag)) {
		rs->status = 304;
		return 0;
	}
	response_body(rs, 200, "application/json", body);
	return 0;
}

int
config_json_handle(struct call *call, struct request *rq, struct response *rs)
{
	return respond(call, rq, rs, access_is_public(&call->facts));
}

int
config_json_handle_group(struct call *call, struct request *rq, struct response *rs)
{
	return respond(call, rq, rs, view_config_read(&call->first));
}

/* Are these the last segments of the path, below the registry? */
static bool
ends_in(const struct request *rq, const char *const *words, size_t n)
{
	if (rq->nsegments < registry_segments(rq) + n)
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

	if (rq->nsegments == registry_segments(rq))
		return true;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (ends_in(rq, ends[i].words, ends[i].n) &&
		    (!ends[i].at_once || rq->nsegments == registry_segments(rq) + ends[i].n))
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
