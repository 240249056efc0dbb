#include "pool/metrics.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "pool/metrics_cells.h"

enum { PAGE_CELLS = 4096 / sizeof(int64_t) /* parts begin on pages of their own */ };

/* An index read takes less than 1 ms, a publish may take half a minute. */
const struct bound metrics_bounds[BUCKETS] = {
	{ 250, "0.00025" },
	{ 500, "0.0005" },
	{ 1000, "0.001" },
	{ 2500, "0.0025" },
	{ 5000, "0.005" },
	{ 10000, "0.01" },
	{ 25000, "0.025" },
	{ 50000, "0.05" },
	{ 100000, "0.1" },
	{ 250000, "0.25" },
	{ 500000, "0.5" },
	{ 1000000, "1" },
	{ 2500000, "2.5" },
	{ 5000000, "5" },
	{ 10000000, "10" },
	{ 30000000, "30" },
	{ INT64_MAX, "+Inf" },
};

/* What an answer may have; anything else is `other`. */
#define STATUSES(X) \
	X(200) X(304) X(404) X(401) X(403) X(201) X(202) X(204) X(206) X(301) X(302) X(303) \
	X(400) X(405) X(406) X(409) X(410) X(411) X(412) X(413) X(414) X(415) X(416) X(422) \
	X(429) X(500) X(501) X(502) X(503) X(504)
#define STATUS_NUMBER(s) s,
#define STATUS_TEXT(s)   #s,
static const int statuses[] = { STATUSES(STATUS_NUMBER) };
static const char *const status_texts[] = { STATUSES(STATUS_TEXT) "other" };
enum { NSTATUSES = sizeof(statuses) / sizeof(*statuses) };

static const char *const worker_states[WORKER__STATES] = {
	[WORKER_DOWN] = "down",
	[WORKER_STARTING] = "starting",
	[WORKER_IDLE] = "idle",
	[WORKER_BUSY] = "busy",
	[WORKER_DRAINING] = "draining",
};
static const char *const worker_kinds[WORKER__KINDS] = {
	[WORKER_READ] = "read",
	[WORKER_WRITE] = "write",
};
/* What has ended: a worker of either kind, or the keeper. */
static const char *const child_kinds[WORKER__KINDS + 1] = {
	[WORKER_READ] = "read",
	[WORKER_WRITE] = "write",
	[WORKER__KINDS] = "keeper",
};
static const char *const worker_ends[WORKER__ENDS] = {
	[WORKER_RETIRED] = "retired",
	[WORKER_CRASHED] = "crashed",
	[WORKER_KILLED] = "killed",
};
static const char *const reload_results[RELOAD__RESULTS] = {
	[RELOAD_DONE] = "done",
	[RELOAD_FAILED] = "failed",
};
static const char *const refusals[REFUSED__MAX] = {
	[REFUSED_MALFORMED] = "malformed",
	[REFUSED_TOKEN] = "token",
	[REFUSED_RIGHT] = "no_right",
	[REFUSED_ABSENT] = "not_found",
	[REFUSED_CONFLICT] = "conflict",
	[REFUSED_TOO_LARGE] = "too_large",
	[REFUSED_RATE] = "rate_limit",
	[REFUSED_PROTECTED] = "protected",
	[REFUSED_QUOTA] = "quota",
};
static const char *const versions[] = { BERTH_VERSION };

#define COUNT(x)  (sizeof(x) / sizeof(*(x)))
#define VALUES(x) (x), COUNT(x)

/* A label `route` has its values from the router. */
static const struct metric_family pool_families[METRIC__POOL] = {
	[METRIC_BUILD_INFO] = { .name = "berth_build_info", .help = "The running version.",
	    .kind = METRIC_GAUGE, .labels = { { "version", VALUES(versions) } } },
	[METRIC_START_TIME] = { .name = "berth_start_time_seconds",
	    .help = "When the pool was started, in seconds since 1970.", .kind = METRIC_GAUGE },
	[METRIC_REQUESTS] = { .name = "berth_http_requests_total",
	    .help = "Requests answered.", .kind = METRIC_COUNTER, .sparse = true,
	    .labels = { { .name = "route" }, { "status", VALUES(status_texts) } } },
	[METRIC_REFUSALS] = { .name = "berth_refusals_total",
	    .help = "Requests refused (status 4xx), by reason.", .kind = METRIC_COUNTER,
	    .labels = { { "reason", VALUES(refusals) } } },
	[METRIC_REQUEST_DURATION] = { .name = "berth_http_request_duration_seconds",
	    .help = "How long requests took, from their parameters to the end of the answer.",
	    .kind = METRIC_HISTOGRAM, .sparse = true, .labels = { { .name = "route" } } },
	[METRIC_RESPONSE_BYTES] = { .name = "berth_http_response_bytes_total",
	    .help = "Bytes of answers' bodies; crates are sent by nginx and not counted here.",
	    .kind = METRIC_COUNTER, .sparse = true, .labels = { { .name = "route" } } },
	[METRIC_DATABASE_TIME] = { .name = "berth_database_seconds_total",
	    .help = "Time that requests waited for the database.", .kind = METRIC_SECONDS,
	    .sparse = true, .labels = { { .name = "route" } } },
	[METRIC_WORKERS] = { .name = "berth_workers",
	    .help = "Workers by activity, within the last half second.",
	    .kind = METRIC_GAUGE,
	    .labels = { { "kind", VALUES(worker_kinds) }, { "state", VALUES(worker_states) } } },
	[METRIC_WORKER_REQUESTS] = { .name = "berth_worker_requests_total",
	    .help = "Answered requests, by the kind of worker.", .kind = METRIC_COUNTER,
	    .labels = { { "kind", VALUES(worker_kinds) } } },
	[METRIC_QUEUE_DURATION] = { .name = "berth_worker_queue_duration_seconds",
	    .help = "The time that requests waited for a worker.", .kind = METRIC_HISTOGRAM,
	    .labels = { { "kind", VALUES(worker_kinds) } } },
	[METRIC_SOCKET_QUEUE] = { .name = "berth_socket_queue",
	    .help = "Connections of nginx that wait in a socket for a worker, within the last half second.",
	    .kind = METRIC_GAUGE, .labels = { { "kind", VALUES(worker_kinds) } } },
	[METRIC_SOCKET_QUEUE_LIMIT] = { .name = "berth_socket_queue_limit",
	    .help = "How many may wait there; nginx answers 502 to further requests.",
	    .kind = METRIC_GAUGE, .labels = { { "kind", VALUES(worker_kinds) } } },
	[METRIC_DEFERRED] = { .name = "berth_deferred_requests",
	    .help = "Downloads that wait because half of the workers already ask the object store, within the last "
	            "half second.",
	    .kind = METRIC_GAUGE, .labels = { { "kind", VALUES(worker_kinds) } } },
	[METRIC_WORKER_ENDS] = { .name = "berth_worker_ends_total",
	    .help = "Workers and keepers that ended: replaced, failed, or killed because too slow.",
	    .kind = METRIC_COUNTER,
	    .labels = { { "kind", VALUES(child_kinds) }, { "reason", VALUES(worker_ends) } } },
	[METRIC_MEMORY] = { .name = "berth_memory_bytes",
	    .help = "Memory that workers and keepers share with no other process, within the last seconds.",
	    .kind = METRIC_GAUGE, .labels = { { "kind", VALUES(child_kinds) } } },
	[METRIC_RELOADS] = { .name = "berth_reloads_total",
	    .help = "Attempts to read the configuration again.", .kind = METRIC_COUNTER,
	    .labels = { { "result", VALUES(reload_results) } } },
	[METRIC_RELOAD_OK] = { .name = "berth_reload_ok",
	    .help = "1: the last attempt to load the configuration succeeded, or there was none; 0: it failed.",
	    .kind = METRIC_GAUGE },
};

static size_t
name_row(struct metrics *m, const char *name)
{
	size_t i = 0;

	while (i < m->nnames && strcmp(m->names[i], name) != 0)
		i++;
	if (i == m->nnames)
		m->names[m->nnames++] = name;
	return i;
}

static size_t
labels_count(const struct metric_family *def)
{
	size_t n = 1;

	for (size_t i = 0; i < METRIC_LABELS && def->labels[i].name != NULL; i++)
		n *= def->labels[i].n;
	return n;
}

/* Places the family's cells behind those that are there. */
static void
family_add(struct metrics *m, const struct metric_family *def)
{
	struct family *f = &m->families[m->nfamilies++];

	f->def = *def;
	for (size_t i = 0; i < METRIC_LABELS && f->def.labels[i].name != NULL; i++) {
		if (f->def.labels[i].values == NULL) {
			f->def.labels[i].values = m->names;
			f->def.labels[i].n = m->nnames;
		}
	}
	f->first = m->part;
	f->cells = def->kind == METRIC_HISTOGRAM ? HISTOGRAM_CELLS : 1;
	f->n = labels_count(&f->def);
	m->part += f->n * f->cells;
}

/* Gauges that nobody has set. */
static void
gauges_init(struct metrics *m)
{
	for (size_t i = 0; i < m->nfamilies; i++) {
		const struct family *f = &m->families[i];

		for (size_t k = 0; f->def.kind == METRIC_GAUGE && k < f->n; k++)
			*metrics_cell(m, MASTER, f->first + k) = METRIC_UNSET;
	}
}

/* fd -1: new ones. */
static int
cells_map(struct metrics *m, int fd)
{
	size_t size;
	void *p;

	m->part = (m->part + PAGE_CELLS - 1) / PAGE_CELLS * PAGE_CELLS;
	size = (PARTS + 1) * m->part * sizeof(int64_t);
	m->fd = fd != -1 ? fd : memfd_create("metrics", MFD_CLOEXEC);
	/* zeroed; what nobody writes takes no memory */
	if (m->fd == -1 || (fd == -1 && ftruncate(m->fd, (off_t)size) == -1))
		return -1;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	if (p == MAP_FAILED)
		return -1;
	m->cells = p;
	return 0;
}

struct metrics *
metrics_share(const struct router *router, const struct metric_family *app, size_t napp, int fd)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->router = router;
	m->fd = -1;
	m->row = calloc(router->nroutes + 1, sizeof(*m->row));
	m->names = calloc(router->nroutes + 1, sizeof(*m->names));
	m->families = calloc(METRIC__POOL + napp, sizeof(*m->families));
	if (m->row == NULL || m->names == NULL || m->families == NULL) {
		metrics_free(m);
		return NULL;
	}
	for (size_t i = 0; i < router->nroutes; i++)
		m->row[i] = name_row(m, router->routes[i].name);
	/* what the log calls a request that led to no route */
	m->row[router->nroutes] = name_row(m, "-");
	for (size_t i = 0; i < METRIC__POOL + napp; i++)
		family_add(m, i < METRIC__POOL ? &pool_families[i] : &app[i - METRIC__POOL]);
	if (cells_map(m, fd) == -1) {
		metrics_free(m);
		return NULL;
	}
	return m;
}

struct metrics *
metrics_new(const struct router *router, const struct metric_family *app, size_t napp)
{
	struct metrics *m = metrics_share(router, app, napp, -1);

	if (m == NULL)
		return NULL;
	gauges_init(m);
	meter_set(&(struct meter) { m, MASTER }, METRIC_BUILD_INFO, 0, 1);
	meter_set(&(struct meter) { m, MASTER }, METRIC_START_TIME, 0, time(NULL));
	meter_set(&(struct meter) { m, MASTER }, METRIC_RELOAD_OK, 0, 1);
	return m;
}

int
metrics_fd(const struct metrics *m)
{
	return m->fd;
}

void
metrics_free(struct metrics *m)
{
	int saved = errno;

	if (m == NULL)
		return;
	if (m->cells != NULL)
		munmap(m->cells, (PARTS + 1) * m->part * sizeof(int64_t));
	if (m->fd != -1)
		close(m->fd);
	free(m->families);
	free(m->names);
	free(m->row);
	free(m);
	errno = saved;
}

struct meter
metrics_meter(struct metrics *m, size_t worker)
{
	return (struct meter) { m, worker % PARTS };
}

struct meter
metrics_meter_master(struct metrics *m)
{
	return (struct meter) { m, MASTER };
}

/* The first cell of one metric of the family. */
static size_t
cell_index(const struct family *f, size_t value, size_t value2)
{
	size_t stride = metrics_stride(&f->def);
	size_t i = value * stride + value2;

	assert(value2 < stride && i < f->n);
	return f->first + i * f->cells;
}

static void
cell_add(const struct meter *meter, size_t at, int64_t n)
{
	/* each number counts for itself: no order between them is of interest */
	atomic_fetch_add_explicit(
	    metrics_cell(meter->metrics, meter->part, at), n, memory_order_relaxed);
}

void
meter_add(const struct meter *meter, size_t family, size_t value, size_t value2, int64_t n)
{
	const struct family *f = &meter->metrics->families[family];

	assert(f->def.kind == METRIC_COUNTER || f->def.kind == METRIC_SECONDS);
	if (n > 0)
		cell_add(meter, cell_index(f, value, value2), n);
}

void
meter_count(const struct meter *meter, size_t family, size_t value, size_t value2)
{
	meter_add(meter, family, value, value2, 1);
}

void
meter_observe(const struct meter *meter, size_t family, size_t value, int64_t us)
{
	const struct family *f = &meter->metrics->families[family];
	size_t at = cell_index(f, value, 0);
	size_t i = 0;

	assert(f->def.kind == METRIC_HISTOGRAM);
	while (us > metrics_bounds[i].us)
		i++;
	cell_add(meter, at + i, 1);
	if (us > 0)
		cell_add(meter, at + BUCKETS, us);
}

/*
 * The status is that of the error, since an answer to nginx's subrequest before an upload is always 403 or
 * 401.
 */
static enum refusal
refusal_of(const struct request *rq, int status)
{
	static const struct {
		int status;
		enum refusal refusal;
	} of[] = {
		{ 401, REFUSED_TOKEN },
		{ 403, REFUSED_RIGHT },
		{ 404, REFUSED_ABSENT },
		{ 409, REFUSED_CONFLICT },
		{ 410, REFUSED_ABSENT },
		{ 413, REFUSED_TOO_LARGE },
		{ 414, REFUSED_TOO_LARGE },
		{ 429, REFUSED_RATE },
	};
	static const enum refusal because[] = {
		[ERR_PROTECTED] = REFUSED_PROTECTED,
		[ERR_QUOTA] = REFUSED_QUOTA,
	};
	size_t i = 0;

	if (rq->err.reason != ERR_BY_STATUS)
		return because[rq->err.reason];
	while (i < COUNT(of) && of[i].status != status)
		i++;
	return i < COUNT(of) ? of[i].refusal : REFUSED_MALFORMED;
}

void
meter_request(const struct meter *meter, const struct request *rq, int status, int64_t bytes,
    int64_t us)
{
	const struct metrics *m = meter->metrics;
	const struct router *router = m->router;
	size_t i = rq->route == NULL ? router->nroutes : (size_t)(rq->route - router->routes);
	size_t row = m->row[i];
	size_t s = 0;
	int refused;

	while (s < NSTATUSES && statuses[s] != status)
		s++;
	meter_count(meter, METRIC_REQUESTS, row, s);
	refused = rq->err.status != 0 ? rq->err.status : status;
	if (refused >= 400 && refused < 500)
		meter_count(meter, METRIC_REFUSALS, refusal_of(rq, refused), 0);
	meter_observe(meter, METRIC_REQUEST_DURATION, row, us);
	meter_add(meter, METRIC_RESPONSE_BYTES, row, 0, bytes);
	meter_add(meter, METRIC_DATABASE_TIME, row, 0, rq->db_us);
}

static size_t
gauge_index(const struct family *f, size_t value)
{
	size_t stride = metrics_stride(&f->def);

	return cell_index(f, value / stride, value % stride);
}

void
meter_set(const struct meter *meter, size_t family, size_t value, int64_t n)
{
	const struct family *f = &meter->metrics->families[family];

	assert(f->def.kind == METRIC_GAUGE);
	*metrics_cell(meter->metrics, MASTER, gauge_index(f, value)) = n;
}

bool
meter_get(const struct meter *meter, size_t family, size_t value, int64_t *n)
{
	const struct family *f = &meter->metrics->families[family];

	assert(f->def.kind == METRIC_GAUGE);
	*n = *metrics_cell(meter->metrics, MASTER, gauge_index(f, value));
	return *n != METRIC_UNSET;
}
