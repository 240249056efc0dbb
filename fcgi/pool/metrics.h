#ifndef POOL_METRICS_H
#define POOL_METRICS_H

/*
 * The pool's metrics, for Prometheus.  The numbers lie in memory that the master makes before its first
 * worker and shares with all of them: none is lost when a worker ends, crashes or is replaced by a reload,
 * and each worker can show the sums of all.  Counting is an atomic addition to a part of that memory which
 * hardly anybody else writes, and never waits.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/request.h"
#include "http/router.h"
#include "pool/listen.h"

enum metric_kind {
	METRIC_COUNTER,
	METRIC_SECONDS, /* a counter of microseconds, shown as seconds */
	METRIC_HISTOGRAM, /* of durations in microseconds, shown as seconds */
	METRIC_GAUGE /* the last value that was set; not shown before that */
};

enum { METRIC_LABELS = 2 };

struct metric_label {
	const char *name; /* NULL: no such label */
	const char *const *values;
	size_t n;
};

/* Metrics of one name, one for each combination of labels' values. */
struct metric_family {
	const char *name;
	const char *help;
	enum metric_kind kind;
	bool until; /* a gauge of a moment of clock_us(), shown as the seconds until then; below 0: since then */
	bool sparse; /* has so many metrics that those at 0 are not shown */
	struct metric_label labels[METRIC_LABELS];
};

/* The pool's own families.  Those of the application follow them, in its order. */
enum {
	METRIC_BUILD_INFO,
	METRIC_START_TIME,
	METRIC_REQUESTS, /* by route and status */
	METRIC_REFUSALS, /* answers 4xx, by enum refusal */
	METRIC_REQUEST_DURATION, /* by route, as the next ones */
	METRIC_RESPONSE_BYTES,
	METRIC_DATABASE_TIME,
	METRIC_WORKERS, /* by enum worker_kind and worker_state */
	METRIC_WORKER_REQUESTS, /* by enum worker_kind, as the next one */
	METRIC_QUEUE_DURATION,
	METRIC_SOCKET_QUEUE, /* connections that no worker has accepted, by enum worker_kind, as the next one */
	METRIC_SOCKET_QUEUE_LIMIT,
	METRIC_DEFERRED, /* requests that workers have put off, by enum worker_kind */
	METRIC_WORKER_ENDS, /* by enum worker_kind, or WORKER__KINDS for the keeper, and worker_end */
	METRIC_MEMORY, /* by enum worker_kind, or WORKER__KINDS for the keeper */
	METRIC_RELOADS, /* by enum reload_result */
	METRIC_RELOAD_OK,
	METRIC__POOL
};

enum worker_state {
	WORKER_DOWN, /* there is no process: it crashed, and a new one starts in a moment */
	WORKER_STARTING,
	WORKER_IDLE,
	WORKER_BUSY,
	WORKER_DRAINING, /* of an older configuration */
	WORKER__STATES
};

enum worker_end { WORKER_RETIRED, WORKER_CRASHED, WORKER_KILLED, WORKER__ENDS };

enum reload_result { RELOAD_DONE, RELOAD_FAILED, RELOAD__RESULTS };

/* Why a client was refused. */
enum refusal {
	REFUSED_MALFORMED, /* the request or its body */
	REFUSED_TOKEN, /* no valid credential */
	REFUSED_RIGHT,
	REFUSED_ABSENT, /* it does not exist, or the caller may not know of it */
	REFUSED_CONFLICT,
	REFUSED_TOO_LARGE,
	REFUSED_RATE,
	REFUSED_PROTECTED,
	REFUSED_QUOTA,
	REFUSED__MAX
};

struct metrics;

/* Where one process counts. */
struct meter {
	struct metrics *metrics;
	size_t part;
};

/*
 * The families of the application and what they point to must live as long.  NULL with errno
 * set.  By the master.
 */
struct metrics *metrics_new(const struct router *, const struct metric_family *app, size_t napp);
/* The file without a name that has the numbers; closed on exec. */
int metrics_fd(const struct metrics *);
/* Opens the same numbers in another process of the same program, which takes the descriptor over. */
struct metrics *metrics_share(
    const struct router *, const struct metric_family *app, size_t napp, int fd);
void metrics_free(struct metrics *);

/* The meter of the worker with this number in its generation; that of the master. */
struct meter metrics_meter(struct metrics *, size_t worker);
struct meter metrics_meter_master(struct metrics *);

/*
 * Adds one, n, or a duration to the metric of the family with these values of its labels (by their index; 0
 * for a label that it does not have).
 */
void meter_count(const struct meter *, size_t family, size_t value, size_t value2);
void meter_add(const struct meter *, size_t family, size_t value, size_t value2, int64_t n);
void meter_observe(const struct meter *, size_t family, size_t value, int64_t us);

/* Counts a request that has been answered. */
void meter_request(const struct meter *, const struct request *, int status, int64_t bytes,
    int64_t us);

/*
 * A gauge for all processes.  value: with two labels, the first label
 * times the count of the second, plus the second.  Getting: false while nobody has set it, or after
 * METRIC_UNSET.
 */
#define METRIC_UNSET INT64_MIN
void meter_set(const struct meter *, size_t family, size_t value, int64_t n);
bool meter_get(const struct meter *, size_t family, size_t value, int64_t *n);

/* Prints all metrics, in Prometheus' text format, version 0.0.4. */
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
void metrics_print(const struct metrics *, struct buf *);

/*
 * For metrics that are not in the table: print the two lines before the metrics of one name; print one
 * metric.  Labels are pairs of name and value, ended by NULL.
 */
void metrics_print_head(struct buf *, const char *name, const char *help, enum metric_kind);
void metrics_print_one(struct buf *, const char *name, const char *const *labels, int64_t value);

#endif
