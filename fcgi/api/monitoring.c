#include "api/monitoring.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "api/database_metrics.h"
#include "base/buf.h"
#include "base/cidr.h"
#include "base/clock.h"
#include "base/excerpt.h"
#include "base/json.h"
#include "base/url.h"
#include "cache/cache_board.h"
#include "call/app_metrics.h"
#include "store/blob/blob_store.h"
#include "store/blob/store_node.h"
#include "store/health.h"
#include "store/token/token_slot.h"

enum {
	/* monitoring waits some seconds for an answer, and wants to know what does not answer */
	LOOK_US = 2 * CLOCK_SECOND,
	WORKER_SEEN_S = 90, /* three times its probe */
	READINESS_MAX = 128 << 10, /* it names up to five paths, in JSON */
	METRICS_MAX = 4 << 20
};

/*
 * A TLS proxy beside nginx makes the whole world look like this host, so nginx has a server for this host
 * alone.  nginx's files of earlier versions have none, and do not name their server.
 */
static bool
may_be_proxied(const struct request *rq)
{
	const char *listener = request_header(rq, "BERTH_LISTENER");

	return listener != NULL && strcmp(listener, "monitoring") != 0 &&
	    cidr_list_has("127.0.0.0/8 ::1/128", rq->remote_addr);
}

static int
admit(const struct worker_app *app, struct request *rq)
{
	if (cidr_list_has(app->settings->monitoring_allow, rq->remote_addr) && !may_be_proxied(rq))
		return 0;
	return err_set(&rq->err, 404, "Not Found");
}

const struct route_policy monitoring_policy = { .admit = admit };

static int
respond(struct response *rs, int status, const char *type, const struct buf *b)
{
	response_header(rs, "Cache-Control", "private, no-store");
	response_body(rs, status, type, buf_slice(b));
	return 0;
}

int
monitoring_liveness(struct call *call, struct request *rq, struct response *rs)
{
	struct buf b;

	(void)call;
	buf_init(&b, rq->arena, READINESS_MAX);
	buf_puts(&b, "{\"status\":\"ok\"}");
	return respond(rs, 200, "application/json", &b);
}

/* What the database says, soon. */
static void
look(struct worker_app *app, struct request *rq, struct health *health)
{
	int64_t until_us = clock_us() + LOOK_US;

	db_set_deadline(app->db, until_us < rq->deadline_us ? until_us : rq->deadline_us);
	/* what is wrong goes to the log as the request's detail */
	health_look(app->db, rq->arena, health, &rq->err);
}

static const char *
database_state(const struct health *health)
{
	if (!health->reachable)
		return "unreachable";
	return health->writable ? "ok" : "read-only";
}

static const char *
schema_state(const struct health *health)
{
	static const char *const states[] = {
		[DB_SCHEMA_UNKNOWN] = "unknown",
		[DB_SCHEMA_FITS] = "ok",
		[DB_SCHEMA_NOT_UTF8] = "not UTF8",
		[DB_SCHEMA_MISSING] = "missing",
		[DB_SCHEMA_OLD] = "too old",
		[DB_SCHEMA_NEW] = "too new",
	};

	return states[health->schema];
}

/* Is the answer asked for the sake of reads alone?  -1: 400. */
static int
only_reads(struct request *rq, bool *reads)
{
	const char *what;

	if (request_query(rq, "for", &what) == -1)
		return -1;
	*reads = what != NULL && strcmp(what, "reads") == 0;
	if (what == NULL || *reads)
		return 0;
	return err_set(&rq->err, 400, "invalid value for `for`: only `reads` is allowed");
}

/* Does this node see the other nodes' files in the store? */
static bool
is_shared(struct worker_app *app, struct request *rq, bool writable, struct err *err)
{
	const struct blob_store *store = app->settings->blobs;
	char name[STORE_NODE_NAME_SIZE];
	const struct store_node self = { name, app->settings->external_url,
		token_slot_text(rq->arena, app->settings->token_key) };

	store_node_name(app->settings->node, name);
	return (!writable || store_node_show(app->db, rq->arena, store, &self, err) == 0) &&
	    store_node_look(app->db, rq->arena, store, name, err) == 0;
}

/* What the answer says of the store. */
struct store_report {
	const char *state; /* "ok", or what is wrong */
	struct err err;    /* its detail is for the administrator */
	bool bad;          /* the node is not ready */
};

static const char *
store_state(struct worker_app *app, struct request *rq, const struct health *health, bool reads,
    struct store_report *report)
{
	const struct blob_store *store = app->settings->blobs;
	struct err *err = &report->err;
	bool refused;

	if (blob_store_probe(rq->arena, store, !reads, err) == -1)
		return reads ? "unreadable" : "not writable";
	/* all nodes have the same object store, and copies serve reads meanwhile */
	if (blob_store_ask(rq->arena, store, &refused, err) == -1) {
		report->bad = !reads;
		return refused ? "refused" : "away";
	}
	/* without the database this is unknown */
	if (health->schema != DB_SCHEMA_FITS)
		return "ok";
	if (store_identity_check(app->db, rq->arena, &app->store, store, health->writable, err) == -1)
		return "not the registry's";
	return is_shared(app, rq, health->writable, err) ? "ok" : "not shared";
}

/* Looks at the store, with a short time limit. */
static void
look_at_store(struct worker_app *app, struct request *rq, const struct health *health, bool reads,
    struct store_report *report)
{
	int64_t patience_ms = blob_store_set_patience(app->settings->blobs, LOOK_US / 1000);

	*report = (struct store_report) { .bad = true };
	report->state = store_state(app, rq, health, reads, report);
	report->bad = report->bad && report->err.status != 0;
	(void)blob_store_set_patience(app->settings->blobs, patience_ms);
}

/* Checks that this node has the external_url of the others. */
static void
look_at_nodes(struct worker_app *app, struct request *rq, const struct health *health, struct err *err)
{
	char name[STORE_NODE_NAME_SIZE];
	const struct store_node self = { name, app->settings->external_url, NULL };

	store_node_name(app->settings->node, name);
	if (health->schema != DB_SCHEMA_FITS || store_node_agree(app->db, rq->arena, &self, err) == 0)
		return;
	/* another member reports a database that is away */
	if (err->status != 503)
		err_clear(err);
}

/* The report about the file of keys, if there should be one. */
struct key_report {
	const char *state; /* NULL: nothing */
	const char *detail; /* NULL: nothing more */
	bool bad; /* the pool serves nothing */
};

static void
report_keys(struct worker_app *app, struct request *rq, const struct health *health,
    struct key_report *report)
{
	const struct settings *s = app->settings;
	struct token_slot_view view = { .any = false };
	struct err err = { 0 };

	*report = (struct key_report) { .state = NULL };
	/* without both nginx proves no token, and is not meant to */
	if (s->token_key[0] == '\0' && s->cache_dir[0] == '\0')
		return;
	report->state = "unknown";
	if (health->schema != DB_SCHEMA_FITS)
		return;
	if (token_slot_look(app->db, rq->arena, s->token_key, &view, &err) == -1) {
		/* the pool looks all tokens up; other errors are the database's */
		if (err.status == 500) {
			report->state = "unreadable";
			report->detail = arena_strdup(rq->arena, err.detail);
		}
		return;
	}
	report->bad = view.foreign != NULL;
	report->state = view.foreign != NULL ? "not the registry's" : view.lacking != NULL ? "incomplete" : "ok";
	report->detail = view.foreign != NULL ? view.foreign : view.lacking;
}

/* May nginx answer from cache_dir?  The lease says so, whatever state its keeper has shown last. */
static bool
cache_is_served(const struct worker_app *app)
{
	return app->board->lease_us > clock_us();
}

/* For information alone: the pool answers what nginx does not. */
static void
put_cache(struct json_out *o, const struct worker_app *app, struct arena *a)
{
	bool served = cache_is_served(app);
	enum cache_state state = app->board->state;

	if (app->settings->cache_dir[0] == '\0')
		return;
	json_out_key_str(o, "cache", served ? "served" : state == CACHE_STALE ? "stale" : "not served");
	if (!served)
		json_out_key_str(o, "cache_detail", arena_printf(a, "cache_dir %s: %s; the pool's log has more, "
		    "in lines with `cache`", app->settings->cache_dir, cache_state_reasons[state]));
}

/* NULL if nginx has read a file of keys, or needs none; else what is wrong. */
static const char *
nginx_lacks_keys(const struct settings *s, const struct request *rq)
{
	/* with "of " at its beginning, since a parameter that is empty does not count */
	const char *keys = request_header(rq, "BERTH_NGINX_KEYS");

	if (keys == NULL || strcmp(keys, "of ") != 0 || s->token_key[0] == '\0' || s->cache_dir[0] == '\0')
		return NULL;
	return arena_printf(rq->arena,
	    "nginx has no keys, so the pool answers all requests with tokens: reload nginx; if that does not help, "
	    "compare the include lines in berth-site.conf of nginx with token_key = %s", s->token_key);
}

enum sameness { SAME, MISSING, DIFFERENT };

/* A directory that nginx and the pool both use. */
struct nginx_dir {
	const char *param; /* has nginx's path */
	const char *reached; /* this word is in BERTH_NGINX_REACHES if nginx's workers reach it */
	const char *variable, *key, *value;
	bool needed; /* nginx cannot send crates without it */
};

/*
 * Do the paths of nginx and the pool lead to one directory?  MISSING: nginx's is not here, because it is
 * wrong, or because nginx has another view of the file system, such as in a container of its own.
 */
static enum sameness
compare(const char *nginx, const char *ours)
{
	struct stat st, other;

	if (strcmp(nginx, ours) == 0 || stat(ours, &other) == -1)
		return SAME;
	if (stat(nginx, &st) == -1)
		return errno == ENOENT || errno == ENOTDIR ? MISSING : SAME;
	return st.st_dev == other.st_dev && st.st_ino == other.st_ino ? SAME : DIFFERENT;
}

/* NULL, or what is wrong with that directory.  A path that is missing here may be right for nginx. */
static const char *
dir_detail(const struct request *rq, const struct nginx_dir *dir, bool *bad)
{
	const char *nginx = request_header(rq, dir->param), *reached = request_header(rq, "BERTH_NGINX_REACHES");
	bool lost = reached != NULL && strstr(reached, dir->reached) == NULL;
	enum sameness same;

	if (nginx == NULL || dir->value[0] == '\0')
		return NULL;
	same = compare(nginx, dir->value);
	if (same == SAME && !lost)
		return NULL;
	*bad = dir->needed && (same == DIFFERENT || lost);
	if (same == SAME)
		return arena_printf(rq->arena, "nginx's workers cannot reach $%s %s: check that it is there for nginx, "
		    "that their user is in the group of this directory, and that SELinux or AppArmor allows it; then "
		    "restart nginx", dir->variable, nginx);
	return arena_printf(rq->arena, "berth-site.conf of nginx has $%s %s%s, and berth.conf has %s = %s; make "
	    "them equal, and reload nginx", dir->variable, nginx,
	    same == MISSING ? ", which does not exist for the pool" : "", dir->key, dir->value);
}

/*
 * By its server for monitoring nginx tells of its own configuration.  NULL if that fits, or for another
 * server, else what differs; *bad: nginx finds no route, or cannot send crates.  With another cache_dir, or
 * without keys, the pool answers all.
 */
static const char *
nginx_detail(const struct settings *s, const struct request *rq, bool *bad)
{
	const struct nginx_dir dirs[] = {
		{ "BERTH_NGINX_STORE", " store", "berth_store", s->blobs->kind->dir_key, s->blobs->dir, true },
		{ "BERTH_NGINX_CACHE_DIR", " cache_dir", "berth_cache_dir", "cache_dir", s->cache_dir, false },
	};
	const char *root = request_header(rq, "BERTH_NGINX_ROOT"), *path = url_path(s->external_url);

	/* with a slash at its end, since a parameter that is empty does not count */
	*bad = root != NULL && strcmp(root, arena_printf(rq->arena, "%s/", path)) != 0;
	if (*bad)
		return arena_printf(rq->arena, "berth-site.conf of nginx has $berth_root \"%.*s\", and berth.conf has "
		    "external_url = %s; make the paths equal, and reload nginx", (int)strlen(root) - 1, root,
		    s->external_url);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		const char *detail = dir_detail(rq, &dirs[i], bad);

		if (detail != NULL)
			return detail;
	}
	return nginx_lacks_keys(s, rq);
}

/* Does the pool run with the last configuration that it was to take?  If not, it serves with an older one. */
static void
put_reload(struct json_out *o, const struct meter *meter)
{
	int64_t ok = 1;

	(void)meter_get(meter, METRIC_RELOAD_OK, 0, &ok);
	json_out_key_str(o, "reload", ok != 0 ? "ok" : "failed");
	if (ok == 0)
		json_out_key_str(o, "reload_detail", "the pool runs with an older configuration, since its last reload "
		    "failed: `berth-fcgi -t` or the pool's log has the cause; remove it, and reload the pool");
}

int
monitoring_readiness(struct call *call, struct request *rq, struct response *rs)
{
	struct err node_err = { 0 };
	struct store_report store;
	struct key_report keys;
	struct health health;
	struct json_out o;
	bool reads, ready, bad_nginx = false;
	const char *nginx;
	struct buf b;

	if (only_reads(rq, &reads) == -1)
		return -1;
	look(call->app, rq, &health);
	look_at_store(call->app, rq, &health, reads, &store);
	look_at_nodes(call->app, rq, &health, &node_err);
	if (node_err.status != 0 && rq->err.status == 0)
		rq->err = node_err;
	if (store.bad && rq->err.status == 0)
		rq->err = store.err;
	report_keys(call->app, rq, &health, &keys);
	if (keys.bad && rq->err.status == 0)
		err_internal(&rq->err, 503, "%s", keys.detail);
	nginx = nginx_detail(call->app->settings, rq, &bad_nginx);
	if (bad_nginx && rq->err.status == 0)
		err_internal(&rq->err, 503, "%s", nginx);
	ready = !store.bad && node_err.status == 0 && !keys.bad && !bad_nginx &&
	    health.schema == DB_SCHEMA_FITS && (health.writable || reads);
	buf_init(&b, rq->arena, READINESS_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	json_out_key_str(&o, "status", ready ? "ok" : "failed");
	json_out_key_str(&o, "version", BERTH_VERSION);
	json_out_key_str(&o, "database", database_state(&health));
	json_out_key_str(&o, "schema", schema_state(&health));
	json_out_key_str(&o, "store", store.state);
	if (store.err.status != 0)
		json_out_key_str(&o, "store_detail", store.err.detail);
	if (keys.state != NULL)
		json_out_key_str(&o, "token_key", keys.state);
	if (keys.detail != NULL)
		json_out_key_str(&o, "token_key_detail", keys.detail);
	put_cache(&o, call->app, rq->arena);
	put_reload(&o, call->app->meter);
	if (nginx != NULL)
		json_out_key_str(&o, "nginx_detail", nginx);
	if (node_err.status != 0)
		json_out_key_str(&o, "node_detail", node_err.detail);
	json_out_close(&o, '}');
	return respond(rs, ready ? 200 : 503, "application/json", &b);
}

int
monitoring_worker(struct call *call, struct request *rq, struct response *rs)
{
	const char *node, *failing = "";
	char own[STORE_NODE_NAME_SIZE];
	struct health health;
	struct json_out o;
	struct buf b;
	int64_t age = -1;
	bool seen;

	if (request_query(rq, "node", &node) == -1)
		return -1;
	if (node != NULL && strlen(node) >= sizeof(own))
		return err_set(&rq->err, 400, "node `%.*s` has more than %zu bytes, and no node has such a name",
		    excerpt(slice_str(node)), node, sizeof(own) - 1);
	store_node_name(call->app->settings->node, own);
	node = node != NULL ? node : own;
	look(call->app, rq, &health);
	seen = health.schema == DB_SCHEMA_FITS &&
	    health_worker(call->app->db, rq->arena, node, &age, &failing, &rq->err) == 0 && age >= 0 &&
	    age <= WORKER_SEEN_S;
	if (!seen && rq->err.status == 0)
		err_internal(&rq->err, 503, "the worker of node %s was not seen", node);
	buf_init(&b, rq->arena, READINESS_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	json_out_key_str(&o, "status", seen ? "ok" : "failed");
	json_out_key_str(&o, "node", node);
	json_out_key(&o, "seen_seconds_ago");
	if (age >= 0)
		json_out_int(&o, age);
	else
		json_out_null(&o);
	json_out_key_words(&o, "failing", failing);
	json_out_close(&o, '}');
	return respond(rs, seen ? 200 : 503, "application/json", &b);
}

static void
count_inspections(struct worker_app *app)
{
	struct slots_count count = slots_count(app->slots, QUEUE_INSPECT);

	meter_set(app->meter, METRIC_INSPECTIONS, INSPECTION_RUNNING, (int64_t)count.held);
	meter_set(app->meter, METRIC_INSPECTIONS, INSPECTION_WAITING, (int64_t)count.waiting);
}

/* Without cache_dir, as after a reload that has removed it, nothing is shown. */
static void
show_cache(const struct worker_app *app)
{
	const struct cache_board *b = app->board;
	bool has = app->settings->cache_dir[0] != '\0';

	meter_set(app->meter, METRIC_CACHE_SERVING, 0, has ? cache_is_served(app) : METRIC_UNSET);
	meter_set(app->meter, METRIC_CACHE_LEASE, 0, has && b->lease_us != 0 ? b->lease_us : METRIC_UNSET);
	for (size_t i = 0; i < CACHE__STATES; i++)
		meter_set(app->meter, METRIC_CACHE_KEEPER, i, has ? i == (size_t)b->state : METRIC_UNSET);
}

int
monitoring_metrics(struct call *call, struct request *rq, struct response *rs)
{
	struct store_report store;
	struct health health;
	int64_t bytes;
	struct buf b;

	look(call->app, rq, &health);
	meter_set(call->app->meter, METRIC_DATABASE_UP, 0, health.reachable);
	meter_set(call->app->meter, METRIC_DATABASE_WRITABLE, 0, health.writable);
	count_inspections(call->app);
	show_cache(call->app);
	buf_init(&b, rq->arena, METRICS_MAX);
	if (health.schema == DB_SCHEMA_FITS)
		database_metrics(call->app, rq, &b);
	look_at_store(call->app, rq, &health, false, &store);
	meter_set(call->app->meter, METRIC_STORE_OK, 0, !store.bad);
	if (blob_store_free(call->app->settings->blobs, &bytes, &store.err) == 0)
		meter_set(call->app->meter, METRIC_STORE_FREE, 0, bytes);
	metrics_print(call->app->meter->metrics, &b);
	return respond(rs, 200, METRICS_CONTENT_TYPE, &b);
}
