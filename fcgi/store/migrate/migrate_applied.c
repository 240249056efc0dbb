#include "store/migrate/migrate_applied.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/db/db.h"
#include "store/db/db_peer.h"
#include "store/db/migrations.h"
#include "store/migrate/migrate_grant.h"
#include "store/migrate_sql.h"

enum { COLUMNS_MIGRATE_APPLIED };

#define REPLACES_HEAD "-- replaces: "

/* Is this the checksum of the migration's text, or of a text that it replaces? */
static bool
is_text_of(const struct migration *m, const char *sum)
{
	char ours[MIGRATION_CHECKSUM_SIZE];

	migration_checksum(m, ours);
	if (strcmp(sum, ours) == 0)
		return true;
	for (const char *const *line = m->lines; *line != NULL; line++) {
		if (strncmp(*line, REPLACES_HEAD, strlen(REPLACES_HEAD)) == 0 &&
		    strlen(sum) == MIGRATION_CHECKSUM_SIZE - 1 &&
		    strncmp(*line + strlen(REPLACES_HEAD), sum, MIGRATION_CHECKSUM_SIZE - 1) == 0)
			return true;
	}
	return false;
}

/* Judges a migration that this program does not know. */
static int
check_newer(const PGresult *res, int i, struct err *err)
{
	int64_t floor = strtoll(PQgetvalue(res, i, FLOOR), NULL, 10);

	if (floor <= migrations_newest())
		return 0;
	return err_set(err, 409, "the database is newer than this program: its migration %s needs a program of "
	    "version %" PRId64 " at least, and this one has %" PRId64 "; install a newer one",
	    PQgetvalue(res, i, VERSION), floor, migrations_newest());
}

/* Checks that the i-th applied migration is this program's, with the same text. */
static int
check_applied(const PGresult *res, int i, struct err *err)
{
	const char *version = PQgetvalue(res, i, VERSION);
	char ours[24];

	if ((size_t)i >= nmigrations)
		return check_newer(res, i, err);
	snprintf(ours, sizeof(ours), "%" PRId64, migrations[i].version);
	if (strcmp(ours, version) != 0)
		return err_set(err, 409, "the database has migration %s where this program has %s",
		    version, ours);
	if (!is_text_of(&migrations[i], PQgetvalue(res, i, CHECKSUM)))
		return err_set(err, 409, "migration %s (%s) was applied with another text", ours,
		    migrations[i].topic);
	return 0;
}

int
migrate_applied(PGconn *pg, size_t *n, int64_t *newer, struct err *err)
{
	PGresult *res = migrate_query(pg, "schema_migrations", SQL_MIGRATE_APPLIED, NULL, 0, err);
	int rc = 0;

	if (res == NULL)
		return -1;
	for (int i = 0; rc == 0 && i < PQntuples(res); i++)
		rc = check_applied(res, i, err);
	*n = (size_t)PQntuples(res);
	*newer = 0;
	if (rc == 0 && *n > nmigrations) {
		*newer = strtoll(PQgetvalue(res, PQntuples(res) - 1, VERSION), NULL, 10);
		*n = nmigrations;
	}
	PQclear(res);
	return rc;
}

static void
ignore_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

PGconn *
migrate_connect(const char *conninfo, const char *database, struct err *err)
{
	/* libpq expands the first dbname, and a later one replaces the name in it */
	const char *const keys[] = { "fallback_application_name", "connect_timeout", "dbname",
		"client_encoding", database != NULL ? "dbname" : NULL, NULL };
	const char *values[] = { "berth migrate", "10", conninfo, "UTF8", database, NULL };
	PGconn *pg;

	if (db_check_conninfo(conninfo, err) == -1 || db_check_server(conninfo, err) == -1)
		return NULL;
	pg = db_peer_connect(PQconnectdbParams, keys, values, conninfo);
	if (PQstatus(pg) == CONNECTION_OK) {
		PQsetNoticeReceiver(pg, ignore_notice, NULL);
		if (migrate_sql(pg, "session", SQL_MIGRATE_SESSION, err) == 0)
			return pg;
	} else {
		migrate_failed(pg, "connect", NULL, err);
	}
	PQfinish(pg);
	return NULL;
}
