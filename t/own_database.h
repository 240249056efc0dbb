#ifndef T_OWN_DATABASE_H
#define T_OWN_DATABASE_H

/* A database for one test in C, on the server that t/run has started: a copy of the migrated one. */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/arena.h"

static struct arena *a;
static PGconn *super; /* the test's own connection to its database */
static char conninfo[512]; /* the pool's */
static char database[32];

/* The first cell of the first row, in the arena; "" where there is none. */
static inline const char *
sql(const char *text)
{
	PGresult *res = PQexec(super, text);
	ExecStatusType status = PQresultStatus(res);
	const char *cell = "";

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		printf("Bail out! %s: %s\n", text, PQerrorMessage(super));
		exit(1);
	}
	if (PQntuples(res) > 0)
		cell = arena_strdup(a, PQgetvalue(res, 0, 0));
	PQclear(res);
	return cell;
}

static inline void
own_database_connect(const char *dir, const char *name)
{
	PQfinish(super);
	super = PQconnectdb(arena_printf(a, "host=%s/pg/sock dbname=%s user=postgres", dir, name));
	if (PQstatus(super) != CONNECTION_OK) {
		printf("Bail out! %s\n", PQerrorMessage(super));
		exit(1);
	}
}

/* Ends the test as skipped where t/run has not started a server. */
static inline void
own_database_start(const char *test)
{
	const char *dir = getenv("BERTH_TEST_DIR");

	if (dir == NULL) {
		printf("1..0 # skip t/run has not started PostgreSQL\n");
		exit(0);
	}
	a = arena_new();
	snprintf(database, sizeof(database), "%s_%ld", test, (long)getpid());
	snprintf(conninfo, sizeof(conninfo), "host=%s/pg/sock dbname=%s user=berth password=hush", dir,
	    database);
	own_database_connect(dir, "postgres");
	sql(arena_printf(a, "CREATE DATABASE %s TEMPLATE berth_template OWNER berth_owner", database));
	sql(arena_printf(a, "GRANT CONNECT ON DATABASE %s TO berth", database));
	own_database_connect(dir, database);
	sql("SET client_min_messages = error");
}

static inline void
own_database_end(void)
{
	own_database_connect(getenv("BERTH_TEST_DIR"), "postgres");
	sql(arena_printf(a, "DROP DATABASE %s WITH (FORCE)", database));
	PQfinish(super);
	arena_free(a);
}

#endif
