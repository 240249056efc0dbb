#ifndef STORE_REPORT_H
#define STORE_REPORT_H

/* Reports on the use of a registry, from the counters of downloads and publishes. */

#include <stdbool.h>
#include <stdint.h>

#include "store/db/db.h"

/* The kinds of actors that are counted, each actor once: people, deploy tokens, CI jobs. */
enum report_actor { REPORT_USERS, REPORT_DEPLOY_TOKENS, REPORT_JOBS, REPORT__ACTORS };

struct report_month {
	const char *month; /* 2026-01, of UTC */
	int64_t project_id; /* 0: all projects together */
	const char *project; /* NULL: all, or one that is gone */
	int64_t publishers[REPORT__ACTORS];
	int64_t downloaders[REPORT__ACTORS];
	int64_t publishes;
	int64_t downloads; /* those of anybody, without a token, too */
};

/*
 * `months` rows, the current month last, for all projects together, and then for each that was
 * used in that time; with a project, by its full path, for that alone.  -1: 404.
 */
int report_adoption(struct db *, struct arena *, const char *project, int64_t months,
    struct report_month **, size_t *n, struct err *) __attribute__((warn_unused_result));

int64_t report_sum(const int64_t actors[REPORT__ACTORS]);

/* The growth over the month before, in tenths of a percent. */
struct report_growth {
	bool known; /* false: there were none before */
	int64_t tenths;
};
struct report_growth report_growth(const int64_t before[REPORT__ACTORS],
    const int64_t now[REPORT__ACTORS]);

struct report_filter {
	const char *project; /* full path; NULL: all */
	const char *crate; /* in any spelling; NULL: all */
	int64_t since, until; /* days that begin then; 0: no bound */
	int64_t limit;
};

struct report_download {
	const char *day; /* 2026-01-31, of UTC */
	const char *project; /* these three NULL where they are gone */
	const char *crate;
	const char *version;
	int64_t project_id;
	int64_t downloads;
	int64_t last_at; /* seconds since 1970 */
};

/*
 * Lists whole downloads of each version on each day, the newest day first: db_list().  -1: 404 no such
 * project.
 */
int report_downloads(struct db *, struct arena *, const struct report_filter *, struct err *)
    __attribute__((warn_unused_result));

/* The next rows of that list; *n is 0 at its end. */
int report_downloads_next(struct db *, struct arena *, struct report_download **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* For a report without a row: does the crate of the filter exist, if there is one?  -1: 404. */
int report_check_crate(struct db *, struct arena *, const struct report_filter *, struct err *)
    __attribute__((warn_unused_result));

/* How large the crates of a project are.  Equal crates of several versions or projects count for each. */
struct report_storage {
	const char *project;
	int64_t project_id;
	int64_t versions;
	int64_t bytes;
	int64_t deleted_bytes; /* of deleted versions that can still come back; `bytes` does not include them */
	int64_t month_bytes; /* the part of `bytes` that was published in the last 30 days */
};

/* Every project that has versions, the largest first. */
int report_storage(struct db *, struct arena *, struct report_storage **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
