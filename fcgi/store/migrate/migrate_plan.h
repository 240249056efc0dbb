#ifndef STORE_MIGRATE_MIGRATE_PLAN_H
#define STORE_MIGRATE_MIGRATE_PLAN_H

/*
 * Predicts from the text of the migrations what migrate_run() does to the existing tables: the
 * locks that it takes, and its work under them.  t/230-migrate-traffic.t compares the locks with the
 * real ones.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/db/migrations.h"

struct migrate_work {
	const struct migration *m;
	size_t step; /* from 1 on */
	const char *table; /* NULL: no existing table */
	const char *lock; /* PostgreSQL's name for it */
	const char *work; /* and the sessions that wait */
	/* of the table with its indexes, as of its last ANALYZE */
	int64_t rows;
	int64_t bytes;
};

/*
 * Reads, and changes nothing.  *newer: as migrate_run.  -1: as migrate_run.
 */
int migrate_plan(const char *conninfo, struct arena *, struct migrate_work **, size_t *n,
    int64_t *newer, struct err *) __attribute__((warn_unused_result));

#endif
