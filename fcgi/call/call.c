#include "call/call.h"

#include "cache/cache_barrier.h"
#include "crate/registry_config.h"

bool
call_is_view(const struct request *rq)
{
	return request_has_param(rq, "group");
}

struct namespace_ref
call_namespace(const struct request *rq)
{
	struct slice id = request_param(rq, call_is_view(rq) ? "group" : "id");
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

enum namespace_kind
call_facts_kind(const struct call *call, const struct request *rq)
{
	if (call_is_view(rq))
		return call->view.name != NULL ? NAMESPACE_PROJECT : NAMESPACE_GROUP;
	return call->policy->namespace_kind;
}

void
call_facts_call(const struct call *call, const struct request *rq, struct arena *a,
    const struct namespace_ref *namespace, struct db_call *facts)
{
	if (call_is_view(rq))
		access_facts_view_call(facts, a, call_digest(call), namespace, call->view.name, call->view.creates);
	else
		access_facts_call(facts, a, call->policy->namespace_kind, call_digest(call), namespace);
}

void
call_take_facts(struct call *call, const struct request *rq, const struct db_result *row)
{
	const struct db_call facts = { .result = *row };

	access_facts_read(&facts, call_facts_kind(call, rq), &call->facts);
	access_facts_switch(&call->facts, call->policy->flag);
	access_facts_locate(&call->facts, rq->remote_addr);
	call->project_policy = access_facts_policy(&facts);
	call->facts_row = *row;
	call->grounds = NULL;
}

/* If the first read is not due, call.first is of earlier facts, and the route reads again. */
static int
ask(struct call *call, struct request *rq, struct db_call *facts)
{
	bool due = call->first_due;

	call->first_due = false;
	if (due)
		return db_run_beside(call->app->db, rq->arena, facts, &call->first, 1, &rq->err);
	call->first_place = 0;
	return replica_decide(&call->replica, facts);
}

int
call_read_facts(struct call *call, struct request *rq, struct db_call *facts)
{
	if (app_know_keys(call->app, rq->arena, &rq->err) == -1 || ask(call, rq, facts) == -1)
		return -1;
	call_take_facts(call, rq, &facts->result);
	return 0;
}

int
call_look_up(struct call *call, struct request *rq)
{
	struct db_call facts = { 0 };

	call_facts_call(call, rq, rq->arena, &call->namespace, &facts);
	if (call_read_facts(call, rq, &facts) == -1)
		return -1;
	if (call_is_view(rq))
		call->view.group_id = call->view.name == NULL ? call->facts.group_id
		    : access_facts_view_id(&facts, &call->view.has_name);
	return 0;
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
	const char *server = call->app->settings->external_url;

	return call->view.group_id != 0 ? registry_group_url(a, server, call->view.group_id)
	    : registry_url(a, server, call->facts.project_id);
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
call_cache_headers(const struct call *call, struct response *rs, bool is_public)
{
	/* `no-cache` lets a client keep what it has and ask: read-your-writes holds everywhere */
	response_header(rs, "Cache-Control",
	    is_public && call->facts.token_id == 0 ? "public, no-cache" : "private, no-cache");
	response_header(rs, "Vary", "Authorization, Accept-Encoding");
}

int
call_confirm(const struct call *call, struct request *rq)
{
	const struct worker_app *app = call->app;

	return cache_barrier_confirm(
	    app->barrier, rq->arena, app->settings->cache_lease, rq->deadline_us, &rq->err);
}
