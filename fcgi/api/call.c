#include "api/call.h"

#include <string.h>
#include <time.h>

#include "api/call_guard.h"
#include "api/ci_login.h"
#include "api/limits.h"
#include "api/patience.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "crate/registry_config.h"

struct project_ref
call_place(const struct request *rq)
{
	struct slice id = request_param(rq, "id");
	struct project_ref ref = { .path = id };
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

const unsigned char *
call_digest(const struct call *call)
{
	return call->credential.kind == CREDENTIAL_TOKEN ? call->credential.digest : NULL;
}

/* Who is calling and what about, with the route's first read where it does not wait for the decision. */
static int
look_up(struct call *call, struct request *rq)
{
	enum { FACTS, FIRST, NCALLS };
	const struct route_need *need = call->need;
	struct db_call calls[NCALLS] = { { .stmt = STMT__MAX } };
	bool at_once = need->read_at_once && rq->allow == NULL;

	access_facts_call(&calls[FACTS], rq->arena, need->subject, call_digest(call), &call->place);
	if ((at_once && need->read(rq, &call->place, &calls[FIRST]) == -1) ||
	    app_know_keys(call->app, rq->arena, &rq->err) == -1 ||
	    db_run(call->app->db, rq->arena, calls, at_once ? NCALLS : FIRST, &rq->err) == -1)
		return -1;
	access_facts_read(&calls[FACTS], need->subject, &call->facts);
	access_facts_switch(&call->facts, need->flag);
	access_facts_locate(&call->facts, rq->remote_addr);
	call->first = calls[FIRST];
	return 0;
}

/* A job of another system comes for the first time: from then on it is known. */
static int
introduce(struct call *call, struct request *rq)
{
	/* a group has the ids of projects that have nothing to do with it */
	const struct project_ref none = { .id = 0 };

	if (!ci_login_is_due(call))
		return 0;
	if (ci_login(call, rq, call->need->subject == SUBJECT_PROJECT ? &call->place : &none) == -1)
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
	if (call->need->subject != SUBJECT_CALLER)
		call->place = call_place(rq);
	/* a bad token is refused before the database is asked about it; for this the keys are read first */
	if (call->credential.kind != CREDENTIAL_MALFORMED &&
	    (look_up(call, rq) == -1 || introduce(call, rq) == -1))
		return -1;
	note_actor(rq, &call->facts);
	if (call->facts.token_usable)
		token_use_note(&app->token_use, call->facts.token_id, time(NULL), clock_us());
	return access_decide(
	    &call->facts, call->credential.kind, call->need->action, &rq->err);
}

static int
read_first(struct call *call, struct request *rq)
{
	const struct project_ref project = { .id = call->facts.project_id };

	if (call->need->read == NULL || call->need->read_at_once || rq->allow != NULL)
		return 0;
	if (call->need->read(rq, &project, &call->first) == -1)
		return -1;
	return db_run(call->app->db, rq->arena, &call->first, 1, &rq->err);
}

/* What a route with a need goes through. */
static int
pass(struct call *call, struct request *rq)
{
	enum limits_route writes = (enum limits_route)rq->route->writes;

	if (call->need->admit != NULL)
		return call->need->admit(call->app, rq);
	if (authorize(call, rq) == -1)
		return limits_note_refusal(call, rq);
	if (rq->allow == NULL && limits_charge_route(call, rq, writes) == -1)
		return -1;
	if (writes != LIMITS_READS)
		call_guard_set(call, rq);
	return read_first(call, rq);
}

struct call *
call_begin(struct worker_app *app, struct request *rq, struct response *rs)
{
	struct call *call = arena_alloc(rq->arena, sizeof(*call));

	call->app = app;
	call->need = rq->route->need;
	db_look(app->db);
	rs->www_authenticate = app->www_authenticate;
	db_set_deadline(app->db, rq->deadline_us);
	patience_set(call, rq);
	return call->need == NULL || pass(call, rq) == 0 ? call : NULL;
}

int
call_look(const struct call *call, struct request *rq, enum subject subject, int64_t id,
    enum action action, struct access_facts *facts)
{
	const struct project_ref place = { .id = id };
	struct db_call ask = { .stmt = STMT__MAX };

	access_facts_call(&ask, rq->arena, subject, call_digest(call), &place);
	if (db_run(call->app->db, rq->arena, &ask, 1, &rq->err) == -1)
		return -1;
	access_facts_read(&ask, subject, facts);
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
