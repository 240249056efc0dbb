#include "store/migrate/migrate_grant.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "store/migrate_sql.h"

enum { GRANTS_MAX = 64 * 1024 };

/* sql/grants.sql, line by line. */
static const char *const grant_lines[] = {
#include "store/grants.inc"
};

int
migrate_failed(const PGconn *pg, const char *what, const PGresult *res, struct err *err)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	/* a lock time-out or a deadlock passes, and a lost connection may */
	bool passes = PQstatus(pg) != CONNECTION_OK ||
	    (state != NULL && (strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0));

	if (message == NULL)
		message = PQerrorMessage(pg);
	return err_internal(err, passes ? 503 : 500,
	    "database: %s: %s%s%.*s", what, state != NULL ? state : "", state != NULL ? ": " : "",
	    (int)strcspn(message, "\n"), message);
}

int
migrate_sql(PGconn *pg, const char *what, const char *sql, struct err *err)
{
	PGresult *res = PQexec(pg, sql);
	ExecStatusType status = PQresultStatus(res);
	int rc = 0;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		rc = migrate_failed(pg, what, res, err);
	PQclear(res);
	return rc;
}

PGresult *
migrate_query(PGconn *pg, const char *what, const char *sql, const char *const *values, int n,
    struct err *err)
{
	PGresult *res = PQexecParams(pg, sql, n, NULL, values, NULL, NULL, 0);
	ExecStatusType status = PQresultStatus(res);

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return res;
	migrate_failed(pg, what, res, err);
	PQclear(res);
	return NULL;
}

int
migrate_run_with(PGconn *pg, const char *what, const char *sql, const char *const *values, int n,
    struct err *err)
{
	PGresult *res = migrate_query(pg, what, sql, values, n, err);

	PQclear(res);
	return res != NULL ? 0 : -1;
}

int
migrate_audit(PGconn *pg, const struct audit_actor *actor, const struct audit_event *event,
    struct err *err)
{
	struct arena *a = arena_new();
	const char *values[] = { audit_action_names[event->action], audit_detail(a, actor, event) };
	int rc = migrate_run_with(pg, "audit", SQL_MIGRATE_AUDIT, values, 2, err);

	arena_free(a);
	return rc;
}

/* Does the query, with one parameter, return a row? */
static int
ask(PGconn *pg, const char *sql, const char *param, bool *yes, struct err *err)
{
	PGresult *res = migrate_query(pg, "grant", sql, &param, 1, err);

	*yes = PQntuples(res) > 0;
	PQclear(res);
	return res != NULL ? 0 : -1;
}

/* Sets the role for the statements that follow in the transaction, if it exists. */
static int
name_role(PGconn *pg, const char *role, struct err *err)
{
	bool yes;

	if (ask(pg, SQL_MIGRATE_NAME_ROLE, role, &yes, err) == -1)
		return -1;
	return yes ? 0 : err_set(err, 404, "role `%s` does not exist", role);
}

int
migrate_grant_begin(PGconn *pg, const char *role, struct err *err)
{
	return name_role(pg, role, err) == -1 ? -1 : migrate_sql(pg, "grant", SQL_MIGRATE_GRANT_TABLES, err);
}

static int
grant(PGconn *pg, struct err *err)
{
	struct arena *a = arena_new();
	struct buf text;
	bool yes;
	int rc;

	buf_init(&text, a, GRANTS_MAX);
	for (size_t i = 0; i < sizeof(grant_lines) / sizeof(*grant_lines); i++)
		buf_puts(&text, grant_lines[i]);
	assert(!buf_full(&text));
	rc = ask(pg, SQL_MIGRATE_NAME_GRANTS, buf_str(&text), &yes, err);
	arena_free(a);
	return rc == -1 ? -1 : migrate_sql(pg, "grant", SQL_MIGRATE_GRANT, err);
}

/* The names are quoted as a statement needs them. */
static int
say_foreign(PGconn *pg, const char *role, struct err *err)
{
	const char *user = PQuser(pg);
	char *owner = PQescapeIdentifier(pg, user, strlen(user));

	err_set(err, 409,
	    "you do not own the schema public, so you cannot grant role `%s` its rights in it: let a superuser "
	    "run, in the database `%s`, ALTER SCHEMA public OWNER TO %s, and run this again",
	    role, PQdb(pg), owner != NULL ? owner : user);
	PQfreemem(owner);
	return -1;
}

int
migrate_grant(PGconn *pg, const struct audit_actor *actor, const char *role, struct err *err)
{
	const struct audit_event event = {
		.action = AUDIT_SCHEMA_GRANT, .facts = { { "role", role, false } } };
	bool safe, foreign;

	if (name_role(pg, role, err) == -1 ||
	    grant(pg, err) == -1 ||
	    ask(pg, SQL_MIGRATE_IS_SAFE, role, &safe, err) == -1 ||
	    ask(pg, SQL_MIGRATE_SCHEMA_IS_FOREIGN, role, &foreign, err) == -1)
		return -1;
	if (foreign)
		return say_foreign(pg, role, err);
	if (!safe)
		return err_set(err, 409,
		    "role `%s` can still create or drop objects; it must be neither the owner nor a superuser",
		    role);
	return migrate_audit(pg, actor, &event, err);
}
