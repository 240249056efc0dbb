#include "api/app.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/app_metrics.h"
#include "api/ci_login.h"
#include "api/credential.h"
#include "api/limits.h"
#include "api/routes.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/log.h"
#include "cache/cache_keeper.h"
#include "cache/cache_node.h"
#include "crate/registry_config.h"
#include "store/blob.h"
#include "store/token_slot.h"

enum {
	FRAME_OVERHEAD = 8,
	STAGING_SLACK = 60,
	IDLE_MAX_US = 1000000 /* what the next request may have to wait for */
};

/* When tokens were used; that nobody waits for.  What cannot be written is lost. */
static void
app_idle(struct worker_app *app)
{
	struct err err = { 0 };
	int64_t now = clock_us();

	db_set_deadline(app->db, now + IDLE_MAX_US);
	if (token_use_write(&app->token_use, app->db, now, &err) == -1)
		log_warn("%s", err.detail);
	db_set_deadline(app->db, 0);
	/* this is not the next request's time */
	(void)db_take_us(app->db);
}

static int
app_idle_wait_ms(const struct worker_app *app)
{
	return token_use_wait_ms(&app->token_use, clock_us());
}

static void
app_stop(struct worker_app *app)
{
	if (app == NULL)
		return;
	if (app->db != NULL)
		app_idle(app);
	db_free(app->db);
	token_keys_wipe(&app->keys);
	slots_close(app->slots);
	arena_free(app->arena);
	free(app);
}

/* A store that cannot be written is no reason not to start: what is in it can be read. */
static void
prepare_store(const struct settings *s)
{
	struct err err = { 0 };

	if (blob_store_check(s->store, &err) == -1)
		log_error("%s", err.detail);
}

/*
 * What a publish left that died with its worker goes; none that is still under way is as old as
 * that.  In a store that is not the registry's nothing is touched.
 */
static void
sweep_store(struct worker_app *app)
{
	const struct settings *s = app->settings;
	struct err err = { 0 };

	if (store_identity_check(app->db, app->arena, &app->store, s->store, true, &err) == -1 ||
	    (app->store.adopted &&
	        blob_sweep_staging(s->store, 2 * s->request_timeout + STAGING_SLACK, &err) == -1))
		log_error("%s", err.detail);
	else if (!app->store.adopted)
		log_warn("store %s has no " STORE_ID_FILE " yet: nothing is removed from it until an administrator "
		    "has run `berth store adopt`", s->store);
}

/*
 * Which registry this is, and its keys, before anything is served by a connection that is new: the
 * database may be another one now.
 */
static int
know_keys(struct worker_app *app, struct arena *a, struct err *err)
{
	if (db_connect(app->db, err) == -1)
		return -1;
	if (app->keys_connection == db_connections(app->db))
		return 0;
	app->keys_connection = 0;
	if (token_slot_keys(app->db, a, app->settings->token_key, &app->keys, err) == -1) {
		if (err->status != 500)
			return -1;
		/* without the file every token is looked up, and that works */
		log_error("%s", err->detail);
		err_clear(err);
		if (token_slot_keys(app->db, a, "", &app->keys, err) == -1)
			return -1;
	}
	app->keys_connection = db_connections(app->db);
	return 0;
}

static struct worker_app *
app_start(const struct settings *settings, const struct meter *meter, int slots, struct err *err)
{
	struct worker_app *app = calloc(1, sizeof(*app));
	struct err away;

	if (app == NULL) {
		err_sys(err, "worker");
		return NULL;
	}
	app->settings = settings;
	app->meter = meter;
	app->arena = arena_new();
	app->slots = slots_open(slots);
	if (app->slots == NULL) {
		err_sys(err, "memory that workers share");
		app_stop(app);
		return NULL;
	}
	app->www_authenticate =
	    arena_printf(app->arena, "Cargo login_url=\"%s/-/tokens\"", settings->external_url);
	prepare_store(settings);
	app->db = db_new(settings->database, settings->database_timeout * 1000);
	/* a database that is away is no reason not to start, nor is one that is not migrated yet:
	 * requests get 503 until it is there */
	if (know_keys(app, app->arena, &away) == -1) {
		if (db_fatal(app->db)) {
			*err = away;
			app_stop(app);
			return NULL;
		}
		log_warn("%s", away.detail);
	} else {
		sweep_store(app);
	}
	/* connecting is not the first request's time */
	(void)db_take_us(app->db);
	return app;
}

_Static_assert(sizeof("user:/token:") + 2 * (size_t)(DECIMAL_SIZE - 1) <=
	sizeof(((struct request *)0)->actor),
    "both numbers must fit");

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

void
app_note_caller(struct worker_app *app, struct request *rq)
{
	note_actor(rq, &app->facts);
	if (app->facts.token_usable)
		token_use_note(&app->token_use, app->facts.token_id, time(NULL), clock_us());
}

static void
wipe_token(void *token)
{
	token_wipe(token);
}

struct token *
app_make_token(struct worker_app *app, struct request *rq, enum token_kind kind)
{
	struct token *token = arena_alloc(rq->arena, sizeof(*token));

	arena_defer(rq->arena, wipe_token, token);
	if (know_keys(app, rq->arena, &rq->err) == -1 ||
	    token_generate(kind, &app->keys, token, &rq->err) == -1)
		return NULL;
	return token;
}

/* Who is calling and what about, with the route's first read where there is one. */
struct begin {
	const struct route_need *need;
	const struct request_credential *credential;
	struct project_ref place;
	struct db_call calls[2]; /* facts, first read */
	size_t ncalls;
	struct err wrong; /* with the request's parameters, for who may know */
};

enum { FACTS, FIRST };

static void
prefetch(struct request *rq, struct begin *b)
{
	b->ncalls = FIRST;
	if (b->need->prefetch == NULL || rq->allow != NULL)
		return;
	if (b->need->prefetch(rq, &b->place, &b->calls[FIRST]) == 0) {
		b->ncalls = FIRST + 1;
	} else {
		/* first comes who may know, then what is wrong */
		b->wrong = rq->err;
		err_clear(&rq->err);
	}
}

static int
look_up(struct worker_app *app, struct request *rq, struct begin *b)
{
	b->calls[FACTS] = (struct db_call) { 0 };
	access_facts_call(&b->calls[FACTS], rq->arena, b->need->subject,
	    b->credential->kind == CREDENTIAL_TOKEN ? b->credential->digest : NULL, &b->place);
	if (know_keys(app, rq->arena, &rq->err) == -1 ||
	    db_run(app->db, rq->arena, b->calls, b->ncalls, &rq->err) == -1)
		return -1;
	access_facts_read(&b->calls[FACTS], b->need->subject, &app->facts);
	access_facts_switch(&app->facts, b->need->flag);
	return 0;
}

/* A job of another system comes for the first time: from then on it is known. */
static int
introduce(struct worker_app *app, struct request *rq, struct begin *b)
{
	/* a group has the ids of projects that have nothing to do with it */
	const struct project_ref none = { .id = 0 };
	const struct project_ref *project =
	    b->need->subject == SUBJECT_PROJECT ? &b->place : &none;

	if (!ci_login_is_due(b->credential, &app->facts))
		return 0;
	if (ci_login(app, rq, b->credential, project) == -1)
		return limits_note_refusal(app, rq, b->credential->kind);
	return look_up(app, rq, b);
}

static int
app_begin(struct worker_app *app, struct request *rq, struct response *rs)
{
	struct begin b = { .need = rq->route->need, .credential = &app->credential };

	db_look(app->db);
	rs->www_authenticate = app->www_authenticate;
	db_set_deadline(app->db, rq->deadline_us);
	if (b.need == NULL)
		return 0;
	if (b.need->admit != NULL)
		return b.need->admit(app, rq);
	/* once they are known a bad token is refused without the database */
	if (app->keys_connection == 0 && know_keys(app, rq->arena, &rq->err) == -1)
		return -1;
	if (credential_read(rq, &app->keys, &app->credential) == -1)
		return limits_note_refusal(app, rq, CREDENTIAL_MALFORMED);
	if (b.need->subject != SUBJECT_CALLER)
		b.place = app_place(rq);
	prefetch(rq, &b);
	if (look_up(app, rq, &b) == -1 || introduce(app, rq, &b) == -1)
		return -1;
	app_note_caller(app, rq);
	if (access_decide(&app->facts, b.credential->kind, b.need->action, &rq->err) == -1)
		return limits_note_refusal(app, rq, b.credential->kind);
	if (b.wrong.status != 0) {
		rq->err = b.wrong;
		return -1;
	}
	if (rq->allow == NULL &&
	    limits_charge_route(app, rq, (enum limits_route)rq->route->writes) == -1)
		return -1;
	if (rq->route->writes != LIMITS_READS)
		app_guard_set(app, rq, b.credential->kind, b.credential->digest);
	app->first = b.calls[FIRST];
	if (b.need->read == NULL || rq->allow != NULL)
		return 0;
	app->first = (struct db_call) { 0 };
	if (b.need->read(rq, app->facts.project_id, &app->first) == -1)
		return -1;
	return db_run(app->db, rq->arena, &app->first, 1, &rq->err);
}

/* What was committed is committed, whatever becomes of this. */
static int
app_settle(struct worker_app *app, struct request *rq, struct err *err)
{
	if (cache_barrier(app->db, rq->arena, rq->deadline_us, err) == 0)
		return 0;
	err_context(err, "not all nodes may know");
	return err->status != 503 ? -1
	    : err_tell(err, "it is done, but hosts of this registry may go on for a while as before");
}

static bool
app_keeps(const struct settings *settings)
{
	return settings->cache_dir[0] != '\0';
}

static void
app_end(struct worker_app *app, struct request *rq)
{
	assert(db_is_idle(app->db));
	rq->db_us = db_take_us(app->db);
	db_set_deadline(app->db, 0);
	app_guard_clear(app);
	app->credential = (struct request_credential) { .kind = CREDENTIAL_NONE };
	app->facts = (struct access_facts) { 0 };
	app->first = (struct db_call) { 0 };
}

static int64_t
app_max_body(const struct worker_app *app, const struct route *route)
{
	(void)route; /* the one that streams its body is publish */
	return FRAME_OVERHEAD + app->settings->max_metadata_size + app->settings->max_crate_size;
}

const struct pool_app api_pool_app = {
	.router = &api_router,
	.families = app_families,
	.nfamilies = METRIC__APP_END - METRIC__POOL,
	.start = app_start,
	.stop = app_stop,
	.begin = app_begin,
	.settle = app_settle,
	.end = app_end,
	.max_body = app_max_body,
	.idle_wait_ms = app_idle_wait_ms,
	.idle = app_idle,
	.keeps = app_keeps,
	.keep = cache_keeper_run,
};

char *
app_registry_url(const struct worker_app *app, struct arena *a)
{
	return registry_url(a, app->settings->external_url, app->facts.project_id);
}

bool
app_may(const struct access_facts *facts, enum action action)
{
	struct err why = { 0 };

	/* whoever has no token that is known has not come as far as to ask */
	return access_decide(facts, facts->token_id != 0 ? CREDENTIAL_TOKEN : CREDENTIAL_NONE,
	           action, &why) == 0;
}

int
app_look(struct worker_app *app, struct request *rq, enum subject subject, int64_t id,
    enum action action, struct access_facts *facts)
{
	const struct project_ref place = { .id = id };
	struct request_credential credential;
	struct db_call call = { .stmt = STMT__MAX };

	if (credential_read(rq, &app->keys, &credential) == -1)
		return -1;
	access_facts_call(&call, rq->arena, subject,
	    credential.kind == CREDENTIAL_TOKEN ? credential.digest : NULL, &place);
	if (db_run(app->db, rq->arena, &call, 1, &rq->err) == -1)
		return -1;
	access_facts_read(&call, subject, facts);
	return access_decide(facts, credential.kind, action, &rq->err);
}

struct project_ref
app_place(const struct request *rq)
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

struct audit_actor
app_actor(const struct worker_app *app, const struct request *rq)
{
	return (struct audit_actor) {
		.user_id = app->facts.user_id,
		.token_id = app->facts.token_id,
		.remote_addr = rq->remote_addr,
		.request_id = rq->id,
	};
}

void
app_cache_headers(const struct worker_app *app, struct response *rs)
{
	/* `no-cache` lets a client keep what it has and ask: read-your-writes holds everywhere */
	response_header(rs, "Cache-Control",
	    access_is_public(&app->facts) && app->facts.token_id == 0 ? "public, no-cache"
								       : "private, no-cache");
	response_header(rs, "Vary", "Authorization, Accept-Encoding");
}

int
app_respond_json(struct response *rs, int status, struct slice json)
{
	response_header(rs, "Cache-Control", "private, no-store");
	response_body(rs, status, "application/json", json);
	return 0;
}

int
app_respond_ok(struct response *rs)
{
	return app_respond_json(rs, 200, slice_str("{\"ok\":true}"));
}

int
app_store_check(struct worker_app *app, struct request *rq)
{
	return store_identity_check(app->db, rq->arena, &app->store, app->settings->store, true, &rq->err);
}
