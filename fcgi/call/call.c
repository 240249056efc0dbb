#include "call/call.h"

#include "cache/cache_barrier.h"
#include "crate/registry_config.h"

struct namespace_ref
call_namespace(const struct request *rq)
{
	struct slice id = request_param(rq, "id");
	struct namespace_ref ref = { .path = id };
	int64_t n = 0;

	for (size_t i = 0; i < id.n; i++) {
		/* one id has one spelling: no zero comes first */
		if (id.p[i] < '0' || id.p[i] > '9' || id.p[0] == '0')
			return ref;
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, id.p[i] - '0', &n))
			return ref;
	}
	if (id.n > 0)
		ref.id = n;
	return ref;
}

const unsigned char *
call_digest(const struct call *call)
{
	return call->credential.kind == CREDENTIAL_TOKEN ? call->credential.digest : NULL;
}

int
call_look(const struct call *call, struct request *rq, enum namespace_kind kind, int64_t id,
    enum action action, struct access_facts *facts)
{
	const struct namespace_ref namespace = { .id = id };
	struct db_call ask = { .stmt = STMT__MAX };

	access_facts_call(&ask, rq->arena, kind, call_digest(call), &namespace);
	if (db_run(call->app->db, rq->arena, &ask, 1, &rq->err) == -1)
		return -1;
	access_facts_read(&ask, kind, facts);
	return access_decide(facts, call->credential.kind, action, &rq->err);
}

char *
call_registry_url(const struct call *call, struct arena *a)
{
	return registry_url(a, call->app->settings->external_url, call->facts.project_id);
}

struct audit_actor
call_actor(const struct call *call, const struct request *rq)
{
	return (struct audit_actor) {
		.user_id = call->facts.user_id,
		.token_id = call->facts.token_id,
		.remote_addr = rq->remote_addr,
		.request_id = rq->id,
	};
}

void
call_cache_headers(const struct call *call, struct response *rs)
{
	/* `no-cache` lets a client keep what it has and ask: read-your-writes holds everywhere */
	response_header(rs, "Cache-Control",
	    access_is_public(&call->facts) && call->facts.token_id == 0 ? "public, no-cache"
									 : "private, no-cache");
	response_header(rs, "Vary", "Authorization, Accept-Encoding");
}

int
call_confirm(const struct call *call, struct request *rq)
{
	const struct worker_app *app = call->app;

	return cache_barrier_confirm(
	    app->barrier, rq->arena, app->settings->cache_lease, rq->deadline_us, &rq->err);
}
