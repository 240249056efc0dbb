#include "jobs/job.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE };

const struct job_kind job_kinds[] = {
	{ .name = "sweep_limits", .period = HOUR, .run = job_sweep_limits },
	{ .name = "sweep_staging", .period = 10 * MINUTE, .run = job_sweep_staging },
};
const size_t job_nkinds = sizeof(job_kinds) / sizeof(*job_kinds);
