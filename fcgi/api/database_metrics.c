#include "api/database_metrics.h"

#include <stddef.h>
#include <time.h>

#include "call/app_metrics.h"
#include "store/blob/store_mark.h"
#include "store/blob/store_node.h"
#include "store/flag.h"
#include "store/health.h"
#include "store/package/nginx_answers.h"
#include "store/token/issuer.h"

enum { BLOBS_PERIOD_S = 60 };

/* Counts the blobs once in BLOBS_PERIOD_S, for all workers. */
static void
count_blobs(struct worker_app *app, struct request *rq)
{
	int64_t now = time(NULL);
	int64_t counted, n, bytes;

	if (meter_get(app->meter, METRIC_BLOBS_COUNTED, 0, &counted) &&
	    now - counted < BLOBS_PERIOD_S && now >= counted)
		return;
	if (health_blobs(app->db, rq->arena, &n, &bytes, &rq->err) == -1)
		return;
	meter_set(app->meter, METRIC_BLOBS, 0, n);
	meter_set(app->meter, METRIC_BLOB_BYTES, 0, bytes);
	meter_set(app->meter, METRIC_BLOBS_COUNTED, 0, now);
}

/* The metrics of background tasks, which come from the database. */
static const struct {
	const char *name, *help;
	const char *state; /* NULL: it has no such label */
	size_t offset;
} task_metrics[] = {
	{ "berth_tasks", "Background tasks.", "running", offsetof(struct health_tasks, running) },
	{ "berth_tasks", "", "waiting", offsetof(struct health_tasks, waiting) },
	{ "berth_tasks", "", "failing", offsetof(struct health_tasks, failing) },
	{ "berth_tasks", "", "dead", offsetof(struct health_tasks, dead) },
	{ "berth_tasks_late_seconds", "How long the oldest due task has waited.",
	    NULL, offsetof(struct health_tasks, late_s) },
	{ "berth_tasks_done_timestamp_seconds",
	    "When a periodic task last finished, in seconds since 1970; 0: never.", NULL,
	    offsetof(struct health_tasks, done_at) },
};

static void
print_tasks(struct worker_app *app, struct request *rq, struct buf *b)
{
	struct health_tasks *tasks;
	size_t n;

	if (health_tasks(app->db, rq->arena, &tasks, &n, &rq->err) == -1)
		return;
	for (size_t i = 0; i < sizeof(task_metrics) / sizeof(*task_metrics); i++) {
		const char *state = task_metrics[i].state;

		if (task_metrics[i].help[0] != '\0')
			metrics_print_head(b, task_metrics[i].name, task_metrics[i].help, METRIC_GAUGE);
		for (size_t k = 0; k < n; k++) {
			const char *labels[] = { "kind", tasks[k].kind, NULL, NULL, NULL, NULL, NULL };
			size_t at = 2;
			int64_t value;

			if (tasks[k].node != NULL) {
				labels[at++] = "node";
				labels[at++] = tasks[k].node;
			}
			if (state != NULL) {
				labels[at++] = "state";
				labels[at++] = state;
			}
			memcpy(&value, (const char *)&tasks[k] + task_metrics[i].offset, sizeof(value));
			metrics_print_one(b, task_metrics[i].name, labels, value);
		}
	}
}

static void
print_search(struct worker_app *app, struct request *rq, struct buf *b)
{
	int64_t late_s;

	if (health_search(app->db, rq->arena, &late_s, &rq->err) == -1)
		return;
	metrics_print_head(b, "berth_search_late_seconds",
	    "How long the oldest change of a crate has waited for searches and lists to show it.", METRIC_GAUGE);
	metrics_print_one(b, "berth_search_late_seconds", (const char *[]) { NULL }, late_s);
}

static void
print_store(struct worker_app *app, struct request *rq, struct buf *b)
{
	struct store_status status;

	if (store_status_read(app->db, rq->arena, &status, &rq->err) == -1)
		return;
	metrics_print_head(b, "berth_store_collection_held_files",
	    "Files that a collection would remove, and that wait for a confirmation.", METRIC_GAUGE);
	metrics_print_one(b, "berth_store_collection_held_files", (const char *[]) { NULL }, status.held_files);
}

static void
print_check(struct worker_app *app, struct request *rq, struct buf *b)
{
	struct health_check check;

	if (health_check(app->db, rq->arena, &check, &rq->err) == -1)
		return;
	metrics_print_head(b, "berth_store_problems",
	    "Problems that the last complete check of database, index and store has left.", METRIC_GAUGE);
	metrics_print_one(b, "berth_store_problems", (const char *[]) { NULL }, check.problems);
	metrics_print_head(b, "berth_store_damaged_blobs",
	    "Blobs of versions that a check has found damaged, and that no later check has found sound.",
	    METRIC_GAUGE);
	metrics_print_one(b, "berth_store_damaged_blobs", (const char *[]) { NULL }, check.damaged);
	metrics_print_head(b, "berth_store_checked_timestamp_seconds",
	    "When the last complete check ended, in seconds since 1970; 0: never.", METRIC_GAUGE);
	metrics_print_one(b, "berth_store_checked_timestamp_seconds", (const char *[]) { NULL },
	    check.checked_at);
}

static void
print_writes(struct worker_app *app, struct request *rq, struct buf *b)
{
	bool on;

	if (flag_ask(app->db, rq->arena, FLAG_WRITES, &on, &rq->err) == -1)
		return;
	metrics_print_head(b, "berth_maintenance", "Whether maintenance forbids changes.", METRIC_GAUGE);
	metrics_print_one(b, "berth_maintenance", (const char *[]) { NULL }, !on);
}

/* Prints the counters of this node, whose nginx asks. */
static void
print_answers(struct worker_app *app, struct request *rq, struct buf *b)
{
	static const char name[] = "berth_nginx_answers_total", errors_name[] = "berth_nginx_errors_total";
	int64_t errors;
	char node[STORE_NODE_NAME_SIZE];
	struct nginx_answers answers;
	size_t n;

	store_node_name(app->settings->node, node);
	if (nginx_answers_read(app->db, rq->arena, node, &answers, &n, &errors, &rq->err) == -1)
		return;
	metrics_print_head(b, name, "Requests that nginx of this node answered from cache_dir, without the pool.",
	    METRIC_COUNTER);
	for (size_t i = 0; i < n; i++)
		metrics_print_one(b, name, (const char *[]) { "route", answers.routes[i], NULL }, answers.n[i]);
	if (app->settings->cache_log[0] == '\0')
		return;
	metrics_print_head(b, errors_name,
	    "Requests that nginx of this node answered with 500, 502, 503 or 504 by itself.", METRIC_COUNTER);
	metrics_print_one(b, errors_name, (const char *[]) { NULL }, errors);
}

/* Prints the end of the certificate that the worker of this node has seen. */
static void
print_certificate(struct worker_app *app, struct request *rq, struct buf *b)
{
	static const char name[] = "berth_certificate_expires_timestamp_seconds";
	char node[STORE_NODE_NAME_SIZE];
	int64_t expires_at;

	store_node_name(app->settings->node, node);
	if (health_certificate(app->db, rq->arena, node, &expires_at, &rq->err) == -1 || expires_at == 0)
		return;
	metrics_print_head(b, name,
	    "When the certificate that clients see, or one in its chain, expires, in seconds since 1970.",
	    METRIC_GAUGE);
	metrics_print_one(b, name, (const char *[]) { NULL }, expires_at);
}

/* An issuer whose keys no worker has tried to read yet counts as one without an error. */
static void
print_issuers(struct worker_app *app, struct request *rq, struct buf *b)
{
	static const char name[] = "berth_issuer_keys_ok";
	struct issuer *issuers;
	bool begun = false;
	size_t n;

	if (issuer_list(app->db, rq->arena, &issuers, &n, &rq->err) == -1)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!issuers[i].enabled)
			continue;
		if (!begun)
			metrics_print_head(b, name, "0 if the last read of the issuer's keys has failed, else 1.",
			    METRIC_GAUGE);
		begun = true;
		metrics_print_one(b, name, (const char *[]) { "issuer", issuers[i].url, NULL },
		    issuers[i].failed_at == 0);
	}
}

void
database_metrics(struct worker_app *app, struct request *rq, struct buf *b)
{
	static void (*const print[])(struct worker_app *, struct request *, struct buf *) = { print_tasks,
		print_search, print_store, print_check, print_writes, print_answers, print_certificate, print_issuers };

	count_blobs(app, rq);
	for (size_t i = 0; i < sizeof(print) / sizeof(*print); i++)
		print[i](app, rq, b);
}
