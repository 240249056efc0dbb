/* pool/metrics: what is counted where, and how it is shown. */
#include "pool/metrics.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static const struct route routes[] = {
	{ .name = "index" },
	{ .name = "download" },
	{ .name = "index" },
};
static const struct router router = { routes, 3, NULL, 0 };

static const char *const stages[] = { "read", "store" };
static const char *const flavours[] = { "sweet", "sour" };

enum { STAGES = METRIC__POOL, TASTED, SECONDS, DEPTH, PLAIN };
static const struct metric_family families[] = {
	{ .name = "test_stage_seconds", .help = "Stages.", .kind = METRIC_HISTOGRAM,
	    .labels = { { "stage", stages, 2 } } },
	{ .name = "test_tasted_total", .help = "Tasted.", .kind = METRIC_COUNTER,
	    .labels = { { "stage", stages, 2 }, { "flavour", flavours, 2 } } },
	{ .name = "test_seconds_total", .help = "Time.", .kind = METRIC_SECONDS },
	{ .name = "test_depth", .help = "Depth.", .kind = METRIC_GAUGE,
	    .labels = { { "stage", stages, 2 } } },
	{ .name = "test_plain_seconds", .help = "Plain.", .kind = METRIC_HISTOGRAM,
	    .sparse = true },
};

static struct metrics *metrics;
static struct arena *arena;

static const char *
shown(void)
{
	struct buf b;

	buf_init(&b, arena, 1 << 20);
	metrics_print(metrics, &b);
	return buf_str(&b);
}

/* Is the line there, whole? */
static void
has(const char *line)
{
	const char *want = arena_printf(arena, "\n%s\n", line);

	ok(strstr(shown(), want) != NULL, "%s", line);
}

static void
has_not(const char *text)
{
	ok(strstr(shown(), text) == NULL, "no %s", text);
}

static void
test_counters(struct meter *one, struct meter *other)
{
	has("# HELP test_tasted_total Tasted.");
	has("# TYPE test_tasted_total counter");
	has("test_tasted_total{stage=\"store\",flavour=\"sweet\"} 0");
	meter_count(one, TASTED, 1, 0);
	meter_add(one, TASTED, 1, 0, 4);
	meter_add(other, TASTED, 1, 0, 37);
	meter_add(one, TASTED, 1, 1, 1);
	meter_add(one, TASTED, 1, 1, -1);
	has("test_tasted_total{stage=\"store\",flavour=\"sweet\"} 42");
	has("test_tasted_total{stage=\"store\",flavour=\"sour\"} 1");
	has("test_tasted_total{stage=\"read\",flavour=\"sour\"} 0");
	has("# TYPE test_seconds_total counter");
	meter_add(one, SECONDS, 0, 0, 2000001);
	meter_add(other, SECONDS, 0, 0, 50);
	has("test_seconds_total 2.000051");
}

static void
test_histogram(struct meter *one, struct meter *other)
{
	has("# TYPE test_stage_seconds histogram");
	has("test_stage_seconds_count{stage=\"read\"} 0");
	has_not("test_plain_seconds_count");
	/* a bound belongs to its bucket */
	meter_observe(one, STAGES, 0, 250);
	meter_observe(one, STAGES, 0, 251);
	meter_observe(other, STAGES, 0, 30000000);
	meter_observe(other, STAGES, 0, 30000001);
	meter_observe(other, STAGES, 0, 0);
	has("test_stage_seconds_bucket{stage=\"read\",le=\"0.00025\"} 2");
	has("test_stage_seconds_bucket{stage=\"read\",le=\"0.0005\"} 3");
	has("test_stage_seconds_bucket{stage=\"read\",le=\"10\"} 3");
	has("test_stage_seconds_bucket{stage=\"read\",le=\"30\"} 4");
	has("test_stage_seconds_bucket{stage=\"read\",le=\"+Inf\"} 5");
	has("test_stage_seconds_sum{stage=\"read\"} 60.000502");
	has("test_stage_seconds_count{stage=\"read\"} 5");
	meter_observe(one, PLAIN, 0, 1000);
	has("test_plain_seconds_bucket{le=\"0.0005\"} 0");
	has("test_plain_seconds_bucket{le=\"0.001\"} 1");
	has("test_plain_seconds_sum 0.001000");
	has("test_plain_seconds_count 1");
}

static void
test_gauges(struct meter *one, struct meter *other)
{
	int64_t n = 0;

	has("# TYPE test_depth gauge");
	has_not("test_depth{");
	ok(!meter_get(one, DEPTH, 0, &n), "a gauge that nobody has set");
	meter_set(one, DEPTH, 0, 7);
	meter_set(other, DEPTH, 0, 5);
	meter_set(one, DEPTH, 1, 0);
	has("test_depth{stage=\"read\"} 5");
	has("test_depth{stage=\"store\"} 0");
	ok(meter_get(one, DEPTH, 0, &n) && n == 5, "is what somebody has set last");
	has("berth_build_info{version=\"" BERTH_VERSION "\"} 1");
	has_not("berth_workers{");
}

static void
test_requests(struct meter *one, struct meter *other)
{
	struct request rq = { .route = &routes[0], .db_us = 1500 };

	has_not("berth_http_requests_total{");
	meter_request(one, &rq, 200, 1000, 900);
	rq.route = &routes[2];
	meter_request(other, &rq, 200, 24, 900);
	meter_request(other, &rq, 299, -1, 900);
	rq.route = &routes[1];
	meter_request(one, &rq, 304, 0, 900);
	rq.route = NULL;
	meter_request(one, &rq, 404, 10, 900);
	has("berth_http_requests_total{route=\"index\",status=\"200\"} 2");
	has("berth_http_requests_total{route=\"index\",status=\"other\"} 1");
	has("berth_http_requests_total{route=\"download\",status=\"304\"} 1");
	has("berth_http_requests_total{route=\"-\",status=\"404\"} 1");
	has_not("route=\"download\",status=\"200\"");
	has("berth_http_request_duration_seconds_count{route=\"index\"} 3");
	has("berth_http_request_duration_seconds_sum{route=\"index\"} 0.002700");
	has("berth_http_request_duration_seconds_bucket{route=\"download\",le=\"0.0005\"} 0");
	has("berth_http_request_duration_seconds_bucket{route=\"download\",le=\"0.001\"} 1");
	has("berth_http_response_bytes_total{route=\"index\"} 1024");
	has_not("berth_http_response_bytes_total{route=\"download\"}");
	has("berth_database_seconds_total{route=\"index\"} 0.004500");
}

static void
test_by_hand(void)
{
	static const char *const labels[] = { "a", "x\\y\"z\n", "b", "", NULL };
	struct buf b;

	buf_init(&b, arena, 1000);
	metrics_print_head(&b, "name", "Help.", METRIC_GAUGE);
	metrics_print_one(&b, "name", labels, -7);
	metrics_print_one(&b, "name", labels + 4, 8);
	is_str(buf_str(&b),
	    "# HELP name Help.\n# TYPE name gauge\n"
	    "name{a=\"x\\\\y\\\"z\\n\",b=\"\"} -7\nname 8\n",
	    "by hand");
}

/* Processes at the same time, some of them with the same part. */
static void
test_processes(void)
{
	enum { PROCESSES = 8, EACH = 20000 };
	pid_t pids[PROCESSES];
	int failed = 0;

	fflush(stdout);
	for (size_t i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct meter meter = metrics_meter(metrics, 7 + 16 * i);

			for (int n = 0; n < EACH; n++) {
				meter_count(&meter, TASTED, 0, 0);
				meter_observe(&meter, STAGES, 1, 300);
			}
			_exit(0);
		}
	}
	for (size_t i = 0; i < PROCESSES; i++) {
		int status = 0;

		failed += waitpid(pids[i], &status, 0) == -1 || status != 0;
	}
	is_int(failed, 0, "the processes ended well");
	has("test_tasted_total{stage=\"read\",flavour=\"sweet\"} 160000");
	has("test_stage_seconds_count{stage=\"store\"} 160000");
	has("test_stage_seconds_sum{stage=\"store\"} 48.000000");
}

int
main(void)
{
	struct meter one, other;

	arena = arena_new();
	metrics = metrics_new(&router, families, sizeof(families) / sizeof(*families));
	ok(metrics != NULL, "made");
	one = metrics_meter(metrics, 0);
	other = metrics_meter(metrics, 1023);
	test_counters(&one, &other);
	test_histogram(&one, &other);
	test_gauges(&one, &other);
	test_requests(&one, &other);
	test_by_hand();
	test_processes();
	metrics_free(metrics);
	metrics_free(NULL);
	arena_free(arena);
	return tap_done();
}
