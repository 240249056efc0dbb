#include "jobs/job.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE };

const struct job_kind job_kinds[] = {
	{ .name = "collect_blobs", .period = 6 * HOUR, .run = job_collect_blobs },
	{ .name = "count_downloads", .period = 10, .each_node = true, .run = job_count_downloads },
	{ .name = "sweep_limits", .period = HOUR, .run = job_sweep_limits },
	{ .name = "sweep_staging", .period = 10 * MINUTE, .run = job_sweep_staging },
};
const size_t job_nkinds = sizeof(job_kinds) / sizeof(*job_kinds);
