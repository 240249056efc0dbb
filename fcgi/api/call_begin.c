#include "api/call_begin.h"

#include <string.h>
#include <time.h>

#include "auth/call_guard.h"
#include "auth/ci_login.h"
#include "auth/rate_limit.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "cache/cache_barrier.h"
#include "call/patience.h"

_Static_assert(sizeof("user:/token:") + 2 * (size_t)(DECIMAL_SIZE - 1) <=
	sizeof(((struct request *)0)->actor),
    "both numbers must fit");

/* The caller, who is known now, for the log. */
static void
note_actor(struct request *rq, const struct access_facts *f)
{
	char *p = rq->actor;

	if (f->token_id == 0) {
		stpcpy(p, "anonymous");
		return;
	}
	if (f->user_id != 0) {
		p = stpcpy(p, "user:");
		p += decimal_write(f->user_id, p);
		p = stpcpy(p, "/");
	}
	p = stpcpy(p, "token:");
	decimal_write(f->token_id, p);
}

/* Who is calling and what about. */
static int
look_up(struct call *call, struct request *rq)
{
	const struct route_policy *policy = call->policy;
	struct db_call facts = { 0 };

	access_facts_call(&facts, rq->arena, policy->namespace_kind, call_digest(call), &call->namespace);
	if (app_know_keys(call->app, rq->arena, &rq->err) == -1 ||
	    db_run(call->app->db, rq->arena, &facts, 1, &rq->err) == -1)
		return -1;
	access_facts_read(&facts, policy->namespace_kind, &call->facts);
	access_facts_switch(&call->facts, policy->flag);
	access_facts_locate(&call->facts, rq->remote_addr);
	call->project_policy = access_facts_policy(&facts);
	return 0;
}

/* A job of another system comes for the first time: from then on it is known. */
static int
introduce(struct call *call, struct request *rq)
{
	/* a group has the ids of projects that have nothing to do with it */
	const struct namespace_ref none = { .id = 0 };

	if (!ci_login_is_due(call))
		return 0;
	if (ci_login(call, rq, call->policy->namespace_kind == NAMESPACE_PROJECT ? &call->namespace : &none) == -1)
		return -1;
	return look_up(call, rq);
}

/* Who is calling, by which credential, and may they do what the route is for? */
static int
authorize(struct call *call, struct request *rq)
{
	struct worker_app *app = call->app;

	/* another connection may be to another registry, with other keys */
	if ((app->keys_connection == 0 || app->keys_connection != db_connections(app->db)) &&
	    app_know_keys(app, rq->arena, &rq->err) == -1)
		return -1;
	if (credential_read(rq, &app->keys, &call->credential) == -1)
		return -1;
	if (call->policy->namespace_kind != NAMESPACE_NONE)
		call->namespace = call_namespace(rq);
	/* a bad token is refused before the database is asked about it; for this the keys are read first */
	if (call->credential.kind != CREDENTIAL_MALFORMED &&
	    (look_up(call, rq) == -1 || introduce(call, rq) == -1))
		return -1;
	note_actor(rq, &call->facts);
	if (call->facts.token_usable)
		token_use_note(&app->token_use, call->facts.token_id, time(NULL), clock_us());
	return access_decide(
	    &call->facts, call->credential.kind, call->policy->action, &rq->err);
}

static int
read_first(struct call *call, struct request *rq)
{
	const struct namespace_ref project = { .id = call->facts.project_id };

	if (call->policy->read == NULL || rq->allow != NULL)
		return 0;
	if (call->policy->read(rq, &project, &call->first) == -1)
		return -1;
	return db_run(call->app->db, rq->arena, &call->first, 1, &rq->err);
}

/* What a route with a policy goes through. */
static int
pass(struct call *call, struct request *rq)
{
	enum route_writes writes = (enum route_writes)rq->route->writes;

	if (call->policy->admit != NULL)
		return call->policy->admit(call->app, rq) == -1 ? -1 : call_guard_writes(call, rq, false);
	/* what writes waits for its own commit */
	if (writes == WRITES_NOTHING && call_confirm(call, rq) == -1)
		return -1;
	if (authorize(call, rq) == -1)
		return rate_limit_note_refusal(call, rq);
	if (call_guard_writes(call, rq, true) == -1)
		return -1;
	if (rq->allow == NULL && rate_limit_charge_route(call, rq, writes) == -1)
		return -1;
	if (writes != WRITES_NOTHING)
		call_guard_set(call, rq);
	return read_first(call, rq);
}

struct call *
call_begin(struct worker_app *app, struct request *rq, struct response *rs)
{
	struct call *call = arena_alloc(rq->arena, sizeof(*call));

	call->app = app;
	call->policy = rq->route->policy;
	cache_barrier_look(app->barrier);
	db_look(app->db);
	rs->www_authenticate = app->www_authenticate;
	db_set_deadline(app->db, rq->deadline_us);
	/* the question before an upload is short, and the upload has the same id */
	db_set_request(app->db, request_is_subrequest(rq) ? NULL : rq->id);
	patience_set(call, rq);
	return (call->policy == NULL ? call_guard_writes(call, rq, false) : pass(call, rq)) == 0 ? call : NULL;
}
