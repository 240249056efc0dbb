#include "jobs/job.h"

enum { HALF_MINUTE = 30, TEN_MINUTES = 600, HOUR = 3600, SIX_HOURS = 6 * HOUR, DAY = 24 * HOUR, WEEK = 7 * DAY };

const struct job_kind job_kinds[] = {
	{ .name = "apply_retention", .period = DAY, .store = JOB_STORE_REMOVES,
	    .run = job_apply_retention },
	{ .name = "check_store", .period = WEEK, .store = JOB_STORE_READS, .run = job_check_store },
	{ .name = "collect_blobs", .period = SIX_HOURS, .store = JOB_STORE_REMOVES,
	    .run = job_collect_blobs },
	{ .name = "count_compressed", .run = job_count_compressed },
	{ .name = "count_downloads", .period = 10, .each_node = true, .run = job_count_downloads },
	{ .name = "destroy_versions", .period = HOUR, .store = JOB_STORE_REMOVES,
	    .run = job_destroy_versions },
	{ .name = "probe_store", .period = HALF_MINUTE, .store = JOB_STORE_READS, .each_node = true,
	    .run = job_probe_store },
	{ .name = "sweep_ci_tokens", .period = HOUR, .run = job_sweep_ci_tokens },
	{ .name = "sweep_limits", .period = HOUR, .run = job_sweep_limits },
	{ .name = "sweep_staging", .period = TEN_MINUTES, .store = JOB_STORE_REMOVES,
	    .run = job_sweep_staging },
	{ .name = "sweep_tokens", .period = DAY, .run = job_sweep_tokens },
	{ .name = "weigh_crates", .period = SIX_HOURS, .run = job_weigh_crates },
};
const size_t job_nkinds = sizeof(job_kinds) / sizeof(*job_kinds);
