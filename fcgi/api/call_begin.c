#include "api/call_begin.h"

#include <string.h>
#include <time.h>

#include "api/web/web_session.h"
#include "auth/call_guard.h"
#include "auth/ci_login.h"
#include "auth/rate_limit.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "cache/cache_barrier.h"
#include "call/call_view.h"
#include "call/known_caller.h"
#include "call/known_reader.h"
#include "call/patience.h"
#include "store/blob/blob_store.h"

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

/* Without a credential, the viewer of a page is the user of the session, which counts as a token. */
static int
look_up_viewer(struct call *call, struct request *rq)
{
	struct db_call facts = { 0 };
	struct web_session *v = web_session_new(call->app, rq);

	if (web_session_find_viewer(call->app, rq, v) == -1)
		return -1;
	access_facts_viewer_call(&facts, rq->arena, call->policy->namespace_kind, v->session.user_id,
	    &call->namespace);
	if (v->session.user_id != 0)
		call->credential.kind = CREDENTIAL_TOKEN;
	return call_read_facts(call, rq, &facts);
}

/* What a replica may answer does not go along with what the primary decides. */
static bool
reads_at_primary(const struct call *call, const struct request *rq)
{
	return call->policy->read != NULL && rq->allow == NULL &&
	    !(rq->route->replica && call->app->replica != NULL);
}

/* Prepares the route's first read to go along with the facts about a caller whom the worker knows. */
static void
prepare_read(struct call *call, struct request *rq)
{
	const struct namespace_ref place = { .id = known_reader_find(call, rq) };

	if (place.id == 0)
		return;
	/* a caller who may not read hears that, and not what is wrong with the request */
	if (call->policy->read(rq, &place, &call->first) == -1) {
		err_clear(&rq->err);
		return;
	}
	call->first_due = true;
	call->first_place = place.id;
}

/* Finds the caller, and the namespace of the request. */
static int
look_up(struct call *call, struct request *rq)
{
	if (reads_at_primary(call, rq))
		prepare_read(call, rq);
	if (call->policy->is_page && call->credential.kind == CREDENTIAL_NONE)
		return look_up_viewer(call, rq);
	return call->policy->knows_callers && known_caller_find(call, rq)
	    ? app_know_keys(call->app, rq->arena, &rq->err) : call_look_up(call, rq);
}

/*
 * The project that a job of another CI system wants to use, or the group whose registry it asks; { 0 }:
 * unknown.  For a group the crate does not matter, so the answer does not tell which project has the name.
 */
static struct namespace_ref
namespace_of(const struct call *call, const struct request *rq)
{
	/* a project that has nothing to do with the group may have the same id */
	return call_is_view(rq) || call->policy->namespace_kind == NAMESPACE_PROJECT ? call->namespace
	    : (struct namespace_ref) { .id = 0 };
}

/* Logs in a job of another system with its first request, and its first to a project of a group. */
static int
introduce(struct call *call, struct request *rq)
{
	struct namespace_ref namespace;

	if (ci_login_is_due(call)) {
		namespace = namespace_of(call, rq);
		if (ci_login(call, rq, &namespace) == -1 || call_look_up(call, rq) == -1)
			return -1;
	}
	return ci_login_to_project(call, rq);
}

/* Finds the caller by the credential, and decides whether they may use the route. */
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
	if (call_is_view(rq))
		call->view.name = call_view_name(rq);
	/* a bad token is refused before the database is asked about it; for this the keys are read first */
	if (call->credential.kind != CREDENTIAL_MALFORMED &&
	    (look_up(call, rq) == -1 || introduce(call, rq) == -1))
		return -1;
	/* a session has no token, and has named its user already */
	if (call->facts.token_id >= 0)
		note_actor(rq, &call->facts);
	if (call->facts.token_usable && call->facts.token_id > 0 && !call->facts_due)
		token_use_note(&app->token_use, call->facts.token_id, time(NULL), clock_us());
	if (call_is_view(rq) && call->credential.kind != CREDENTIAL_MALFORMED)
		return call_view_decide(call, rq);
	return access_decide(
	    &call->facts, call->credential.kind, call->policy->action, &rq->err);
}

/* Reads what the route reads first, unless it was read with the facts. */
static int
read_first(struct call *call, struct request *rq)
{
	bool of_group = call->policy->namespace_kind == NAMESPACE_GROUP;
	const struct namespace_ref place = { .id = of_group ? call->facts.group_id : call->facts.project_id };
	int rc;

	if (call->policy->read == NULL || rq->allow != NULL)
		return 0;
	if (place.id != 0 && reads_at_primary(call, rq))
		known_reader_remember(call, rq, place.id);
	if (place.id != 0 && place.id == call->first_place)
		return 0;
	call->first = (struct db_call) { 0 };
	if (call->policy->read(rq, &place, &call->first) == -1)
		return -1;
	do
		rc = db_run(replica_choose(&call->replica), rq->arena, &call->first, 1, &rq->err);
	while (replica_again(&call->replica));
	return rc;
}

/* What a route with a policy goes through. */
static int
pass(struct call *call, struct request *rq)
{
	enum route_writes writes = (enum route_writes)rq->route->writes;

	if (call->policy->admit != NULL)
		return call->policy->admit(call->app, rq) == -1 ? -1 : call_guard_writes(call, rq, false);
	/* a write waits for its own commit instead */
	if (writes == WRITES_NOTHING && call_confirm(call, rq) == -1)
		return -1;
	if (authorize(call, rq) == -1) {
		known_reader_forget(call, rq);
		return rate_limit_note_refusal(call, rq);
	}
	if (call_guard_writes(call, rq, true) == -1)
		return -1;
	if (rq->allow == NULL && rate_limit_charge_route(call, rq, writes) == -1)
		return -1;
	if (writes != WRITES_NOTHING)
		call_guard_set(call, rq);
	return read_first(call, rq);
}

/* The store's time begins with the request, however long other things have taken meanwhile. */
static int64_t
store_deadline_us(const struct settings *s, const struct request *rq)
{
	return rq->deadline_us - s->request_timeout * CLOCK_SECOND + settings_store_patience_ms(s) * 1000;
}

struct call *
call_begin(struct worker_app *app, struct request *rq, struct response *rs)
{
	struct call *call = arena_alloc(rq->arena, sizeof(*call));

	call->app = app;
	call->replica = (struct replica_use) { .app = app, .rq = rq };
	call->policy = rq->route->policy;
	cache_barrier_look(app->barrier);
	db_look(app->db);
	rs->www_authenticate = app->www_authenticate;
	if (call->policy != NULL && call->policy->is_page)
		rs->www_authenticate = "Basic realm=\"Berth\", charset=\"UTF-8\"";
	db_set_deadline(app->db, rq->deadline_us);
	blob_store_set_deadline(app->settings->blobs, store_deadline_us(app->settings, rq));
	/* the question before an upload is short, and the upload has the same id */
	db_set_request(app->db, request_is_subrequest(rq) ? NULL : rq->id);
	patience_set(call, rq);
	return (call->policy == NULL ? call_guard_writes(call, rq, false) : pass(call, rq)) == 0 ? call : NULL;
}
