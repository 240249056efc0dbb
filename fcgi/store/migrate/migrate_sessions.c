#include "store/migrate/migrate_sessions.h"

#include <inttypes.h>
#include <stdio.h>

#include "store/db/migrations.h"
#include "store/migrate/migrate_applied.h"
#include "store/migrate/migrate_grant.h"

/* $1: what the schema has now, $2: what it needs of programs then. */
#define OLDER_SQL \
	"SELECT count(*), string_agg(DISTINCT substring(application_name from '^[^/]+'), ' and ')" \
	" FROM pg_stat_activity" \
	" WHERE datname = current_database() AND application_name ~ '^berth-(fcgi|worker)(/[0-9]{1,9})?$'" \
	" AND coalesce(substring(application_name from '/([0-9]+)$')::bigint, $1::bigint) < $2::bigint"

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
	enum { COUNT, PROGRAMS };
	char now[24], floor[24];
	const char *const values[] = { now, floor };
	PGresult *res;
	int rc = 0;

	if (done == 0)
		return 0;
	snprintf(now, sizeof(now), "%" PRId64, migrations[done - 1].version);
	snprintf(floor, sizeof(floor), "%" PRId64, floor_from(done));
	res = PQexecParams(pg, OLDER_SQL, 2, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		rc = migrate_failed(pg, "sessions", res, err);
	else if (PQgetvalue(res, 0, COUNT)[0] != '0')
		rc = err_set(err, 409, "an older build of %s uses this database (sessions: %s) and does not work with "
		    "the new schema; stop it on all hosts, then run `berth migrate` again",
		    PQgetvalue(res, 0, PROGRAMS), PQgetvalue(res, 0, COUNT));
	PQclear(res);
	return rc;
}
