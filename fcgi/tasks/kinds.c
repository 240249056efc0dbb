#include "tasks/task.h"

enum {
	HALF_MINUTE = 30,
	TEN_MINUTES = 600,
	HOUR = 3600,
	SIX_HOURS = 6 * HOUR,
	DAY = 24 * HOUR,
	WEEK = 7 * DAY
};

const struct task_kind task_kinds[] = {
	{ .name = "apply_retention", .period = DAY, .store = TASK_STORE_REMOVES,
	    .run = task_apply_retention },
	{ .name = "check_certificate", .period = HOUR, .each_node = true, .run = task_check_certificate },
	{ .name = "check_store", .period = WEEK, .store = TASK_STORE_READS, .run = task_check_store },
	{ .name = "collect_blobs", .period = SIX_HOURS, .store = TASK_STORE_REMOVES,
	    .run = task_collect_blobs },
	{ .name = "count_answers", .period = 10, .each_node = true, .run = task_count_answers },
	{ .name = "count_compressed", .run = task_count_compressed },
	{ .name = "count_downloads", .period = 10, .each_node = true, .run = task_count_downloads },
	{ .name = "destroy_versions", .period = HOUR, .store = TASK_STORE_REMOVES,
	    .run = task_destroy_versions },
	{ .name = "probe_store", .period = HALF_MINUTE, .store = TASK_STORE_READS, .each_node = true,
	    .run = task_probe_store },
	{ .name = "sweep_ci_tokens", .period = HOUR, .run = task_sweep_ci_tokens },
	{ .name = "sweep_limits", .period = HOUR, .run = task_sweep_limits },
	{ .name = "sweep_staging", .period = TEN_MINUTES, .store = TASK_STORE_REMOVES,
	    .run = task_sweep_staging },
	{ .name = "sweep_tokens", .period = DAY, .run = task_sweep_tokens },
	{ .name = "update_search", .period = TEN_MINUTES, .is_due = task_search_is_due,
	    .run = task_update_search },
	{ .name = "warm_copies", .period = TEN_MINUTES, .store = TASK_STORE_READS, .each_node = true,
	    .run = task_warm_copies },
	{ .name = "weigh_crates", .period = SIX_HOURS, .run = task_weigh_crates },
};
const size_t task_nkinds = sizeof(task_kinds) / sizeof(*task_kinds);
