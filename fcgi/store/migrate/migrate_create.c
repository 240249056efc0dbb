#include "store/migrate/migrate_create.h"

#include <stdlib.h>
#include <string.h>

#include "store/migrate/migrate_applied.h"
#include "store/migrate/migrate_grant.h"
#include "store/migrate_sql.h"

/* The database that conninfo or the environment names; the caller frees it.  NULL: none. */
static char *
name_of_database(const char *conninfo)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	const char *name = getenv("PGDATABASE");
	char *copy;

	for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
		if (strcmp(o->keyword, "dbname") == 0 && o->val != NULL)
			name = o->val;
	}
	copy = name != NULL ? strdup(name) : NULL;
	PQconninfoFree(options);
	return copy;
}

/* The server quotes the names: no statement is made here. */
static int
create_missing(PGconn *pg, const char *database, const char *role, struct err *err)
{
	enum { COLUMNS_MIGRATE_CREATE };
	const char *values[] = { database, role };
	PGresult *res = migrate_query(pg, "create", SQL_MIGRATE_CREATE, values, 2, err);
	int rc = res != NULL ? 0 : -1;

	for (int i = 0; rc == 0 && i < PQntuples(res); i++)
		rc = migrate_sql(pg, "create", PQgetvalue(res, i, STATEMENT), err);
	PQclear(res);
	return rc;
}

int
migrate_create(const char *conninfo, const char *role, struct err *err)
{
	char *database = name_of_database(conninfo);
	PGconn *pg;
	int rc;

	if (database == NULL)
		return err_set(err, 400, "--create needs the name of the database in --database: dbname=NAME");
	pg = migrate_connect(conninfo, "postgres", err);
	rc = pg != NULL ? create_missing(pg, database, role, err) : -1;
	PQfinish(pg);
	free(database);
	return rc;
}
