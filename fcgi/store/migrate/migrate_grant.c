#include "store/migrate/migrate_grant.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

enum { GRANTS_MAX = 64 * 1024 };

/* sql/grants.sql, line by line. */
static const char *const grant_lines[] = {
#include "store/grants.inc"
};

#define ROLE_SQL \
	"SELECT set_config('berth.grant_to', rolname, true) FROM pg_roles WHERE rolname = $1"

#define GRANTS_SQL "SELECT set_config('berth.grants', $1, true)"

/*
 * First takes everything away, by column as well, so that the outcome does not depend on earlier
 * rights.  PUBLIC loses what PostgreSQL before 15 gives it.  Identity columns need no right to their
 * sequences.
 */
#define GRANT_SQL \
	"DO $$ DECLARE" \
	" role text := quote_ident(current_setting('berth.grant_to'));" \
	" base text := quote_ident(current_database()); " \
	"BEGIN" \
	" EXECUTE 'REVOKE TEMPORARY ON DATABASE ' || base || ' FROM PUBLIC';" \
	" EXECUTE 'REVOKE ALL ON DATABASE ' || base || ' FROM ' || role;" \
	" EXECUTE 'GRANT CONNECT ON DATABASE ' || base || ' TO ' || role;" \
	" EXECUTE 'REVOKE CREATE ON SCHEMA public FROM PUBLIC';" \
	" EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM ' || role;" \
	" EXECUTE 'REVOKE ALL ON SCHEMA public FROM ' || role;" \
	" EXECUTE 'GRANT USAGE ON SCHEMA public TO ' || role;" \
	" EXECUTE 'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ' || role;" \
	" EXECUTE 'REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM ' || role;" \
	" EXECUTE replace(current_setting('berth.grants'), ':role', role); " \
	"END $$"

/*
 * The pool may use new tables at once, since triggers of its tables may need them; migrate_grant() gives
 * the exact rights at the end.
 */
#define BEGIN_SQL \
	"DO $$ BEGIN" \
	" EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE" \
	" ON TABLES TO ' || quote_ident(current_setting('berth.grant_to')); " \
	"END $$"

/* An owner or a superuser keeps every right, whatever is revoked. */
#define SAFE_SQL \
	"SELECT 1 WHERE NOT has_schema_privilege($1, 'public', 'CREATE')" \
	" AND NOT has_database_privilege($1, current_database(), 'CREATE')" \
	" AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace" \
	" AND pg_has_role($1, relowner, 'MEMBER'))"

#define AUDIT_SQL "INSERT INTO audit_events (action, detail) VALUES ($1, $2::jsonb)"

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

int
migrate_audit(PGconn *pg, const struct audit_actor *actor, const struct audit_event *event,
    struct err *err)
{
	struct arena *a = arena_new();
	const char *values[] = { audit_action_names[event->action], audit_detail(a, actor, event) };
	PGresult *res = PQexecParams(pg, AUDIT_SQL, 2, NULL, values, NULL, NULL, 0);
	int rc = 0;

	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		rc = migrate_failed(pg, "audit", res, err);
	PQclear(res);
	arena_free(a);
	return rc;
}

/* Does the query, with one parameter, return a row? */
static int
ask(PGconn *pg, const char *sql, const char *param, bool *yes, struct err *err)
{
	PGresult *res = PQexecParams(pg, sql, 1, NULL, &param, NULL, NULL, 0);
	int rc = 0;

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		rc = migrate_failed(pg, "grant", res, err);
	*yes = PQntuples(res) > 0;
	PQclear(res);
	return rc;
}

/* Sets the role for the statements that follow in the transaction, if it exists. */
static int
name_role(PGconn *pg, const char *role, struct err *err)
{
	bool yes;

	if (ask(pg, ROLE_SQL, role, &yes, err) == -1)
		return -1;
	return yes ? 0 : err_set(err, 404, "role `%s` does not exist", role);
}

int
migrate_grant_begin(PGconn *pg, const char *role, struct err *err)
{
	return name_role(pg, role, err) == -1 ? -1 : migrate_sql(pg, "grant", BEGIN_SQL, err);
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
	rc = ask(pg, GRANTS_SQL, buf_str(&text), &yes, err);
	arena_free(a);
	return rc == -1 ? -1 : migrate_sql(pg, "grant", GRANT_SQL, err);
}

int
migrate_grant(PGconn *pg, const struct audit_actor *actor, const char *role, struct err *err)
{
	const struct audit_event event = {
		.action = AUDIT_SCHEMA_GRANT, .facts = { { "role", role, false } } };
	bool yes;

	if (name_role(pg, role, err) == -1 ||
	    grant(pg, err) == -1 ||
	    ask(pg, SAFE_SQL, role, &yes, err) == -1)
		return -1;
	if (!yes)
		return err_set(err, 409,
		    "role `%s` can still create or drop objects; it must be neither the owner nor a superuser",
		    role);
	return migrate_audit(pg, actor, &event, err);
}
