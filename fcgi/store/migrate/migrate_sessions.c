#include "store/migrate/migrate_sessions.h"

#include <inttypes.h>
#include <stdio.h>

#include "store/db/migrations.h"
#include "store/migrate/migrate_applied.h"
#include "store/migrate/migrate_grant.h"
#include "store/migrate_sql.h"

static int64_t
floor_from(size_t done)
{
	int64_t highest = 0;

	for (size_t i = done; i < nmigrations; i++) {
		int64_t floor = migration_floor(&migrations[i]);

		if (floor > highest)
			highest = floor;
	}
	return highest;
}

int
migrate_check_sessions(PGconn *pg, size_t done, struct err *err)
{
	enum { COLUMNS_MIGRATE_OLDER_SESSIONS };
	char now[24], floor[24];
	const char *const values[] = { now, floor };
	PGresult *res;
	int rc = 0;

	if (done == 0)
		return 0;
	snprintf(now, sizeof(now), "%" PRId64, migrations[done - 1].version);
	snprintf(floor, sizeof(floor), "%" PRId64, floor_from(done));
	res = migrate_query(pg, "sessions", SQL_MIGRATE_OLDER_SESSIONS, values, 2, err);
	if (res == NULL)
		return -1;
	if (PQgetvalue(res, 0, SESSIONS)[0] != '0')
		rc = err_set(err, 409, "an older build of %s uses this database (sessions: %s) and does not work with "
		    "the new schema; stop it on all hosts, then run `berth migrate` again",
		    PQgetvalue(res, 0, PROGRAMS), PQgetvalue(res, 0, SESSIONS));
	PQclear(res);
	return rc;
}
