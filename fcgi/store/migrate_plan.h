#ifndef STORE_MIGRATE_PLAN_H
#define STORE_MIGRATE_PLAN_H

/*
 * What migrate_run() would do to the tables that are there, as the text of the migrations says: which
 * locks, and what work under them.  t/23-migrate-traffic.t compares the locks with those that are
 * taken.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/migrate.h"

struct migrate_work {
	const struct migration *m;
	size_t step; /* from 1 on */
	const char *table; /* NULL: none that is there */
	const char *lock; /* PostgreSQL's name for it */
	const char *work; /* and who waits */
	/* of the table, as PostgreSQL knows them since it was last analyzed; with indexes */
	int64_t rows;
	int64_t bytes;
};

/*
 * Reads, and changes nothing.  *newer: as migrate_run.  -1: as migrate_run.
 */
int migrate_plan(const char *conninfo, struct arena *, struct migrate_work **, size_t *n,
    int64_t *newer, struct err *) __attribute__((warn_unused_result));

#endif
