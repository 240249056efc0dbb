#include "store/migrate/migrate.h"

#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/migrate/migrate_applied.h"
#include "store/migrate/migrate_grant.h"
#include "store/migrate/migrate_sessions.h"
#include "store/migrate/migrate_step.h"

enum { TURN_MS = 100 }; /* between two tries to get the lock */

/*
 * The number of the advisory lock, which must stay the same: "Berth".  Nobody waits for it inside a
 * statement: CREATE INDEX CONCURRENTLY would wait for that statement.
 */
#define LOCK_SQL "SELECT pg_try_advisory_lock(x'4265727468'::bigint)"

#define RECORD_SQL \
	"INSERT INTO schema_migrations (version, topic, checksum, floor) VALUES ($1, $2, $3, $4)"

/* An unconditional ALTER TABLE would block every session that connects. */
#define TABLE_SQL \
	"CREATE TABLE IF NOT EXISTS schema_migrations (" \
	"version integer PRIMARY KEY, topic text NOT NULL, checksum text NOT NULL," \
	" applied_at timestamptz NOT NULL DEFAULT now());" \
	" DO $$ BEGIN" \
	" IF NOT EXISTS (SELECT FROM pg_attribute WHERE attname = 'floor'" \
	" AND attrelid = 'schema_migrations'::regclass) THEN" \
	" ALTER TABLE schema_migrations ADD COLUMN floor integer;" \
	" END IF; " \
	"END $$;" \
	" CREATE TABLE IF NOT EXISTS schema_migration_steps (" \
	"version integer, step integer, checksum text NOT NULL, PRIMARY KEY (version, step))"

/* The steps that are done of a migration under way. */
#define STEPS_SQL \
	"SELECT count(*), coalesce(min(checksum), ''), coalesce(max(checksum), '')" \
	" FROM schema_migration_steps WHERE version = $1"

#define STEP_SQL \
	"INSERT INTO schema_migration_steps (version, step, checksum) VALUES ($1, $2, $3)"

#define STEPS_DONE_SQL "DELETE FROM schema_migration_steps WHERE version = $1"

/*
 * Of a table that was written anew no page is known as visible to all, so that what indexes have is
 * looked up in its rows as well, and of a new column nothing is known.  By itself PostgreSQL would
 * turn to it after the next hundred thousands of rows.  What is locked just then is left to that.
 */
#define VACUUM_SQL "VACUUM (ANALYZE, SKIP_LOCKED, TRUNCATE false) crates, versions, crate_search"

static int
make_tables(PGconn *pg, void *arg, struct err *err)
{
	(void)arg;
	return migrate_sql(pg, "schema_migrations", TABLE_SQL, err);
}

/* A migration that is being applied, and its progress. */
struct progress {
	const struct migrate_task *task;
	const struct migration *m;
	const char *name;
	char version[24], floor[24], sum[MIGRATION_CHECKSUM_SIZE];
	size_t step, nsteps;
};

static int
run_with(PGconn *pg, const char *name, const char *sql, const char *const *values, int n,
    struct err *err)
{
	PGresult *res = PQexecParams(pg, sql, n, NULL, values, NULL, NULL, 0);
	int rc = 0;

	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		rc = migrate_failed(pg, name, res, err);
	PQclear(res);
	return rc;
}

/* Grants rights in the transaction of the last migration: a program may wait for its schema. */
static int
grant(PGconn *pg, const struct migrate_task *task, const struct migration *m, struct err *err)
{
	if (task->grant_to == NULL || m->version != migrations_newest())
		return 0;
	return migrate_grant(pg, task->actor, task->grant_to, err);
}

/* Records a migration whose last step is done in this transaction. */
static int
record(PGconn *pg, const struct progress *p, struct err *err)
{
	const struct audit_event event = { .action = AUDIT_SCHEMA_MIGRATE, .id_key = "version",
		.id = p->m->version, .facts = { { "topic", p->m->topic, false } } };
	const char *const values[] = { p->version, p->m->topic, p->sum, p->floor };

	if (run_with(pg, p->name, RECORD_SQL, values, 4, err) == -1 ||
	    run_with(pg, p->name, STEPS_DONE_SQL, values, 1, err) == -1 ||
	    migrate_audit(pg, p->task->actor, &event, err) == -1)
		return -1;
	return grant(pg, p->task, p->m, err);
}

static int
record_step(PGconn *pg, void *arg, struct err *err)
{
	const struct progress *p = arg;
	char step[24];
	const char *const values[] = { p->version, step, p->sum };

	if (p->step + 1 == p->nsteps)
		return record(pg, p, err);
	snprintf(step, sizeof(step), "%zu", p->step + 1);
	return run_with(pg, p->name, STEP_SQL, values, 3, err);
}

/* Counts the steps that an earlier run has done. */
static int
count_steps(PGconn *pg, struct progress *p, struct err *err)
{
	enum { COUNT, FIRST, LAST };
	const char *const values[] = { p->version };
	PGresult *res = PQexecParams(pg, STEPS_SQL, 1, NULL, values, NULL, NULL, 0);
	int rc = 0;

	if (PQresultStatus(res) != PGRES_TUPLES_OK) {
		rc = migrate_failed(pg, p->name, res, err);
	} else {
		p->step = strtoul(PQgetvalue(res, 0, COUNT), NULL, 10);
		if (p->step > 0 && (strcmp(p->sum, PQgetvalue(res, 0, FIRST)) != 0 ||
		    strcmp(p->sum, PQgetvalue(res, 0, LAST)) != 0 || p->step >= p->nsteps))
			rc = err_set(err, 409, "another version of the program has begun %s with "
			    "another text; finish it with `berth migrate` of that version", p->name);
	}
	PQclear(res);
	return rc;
}

static int
apply(PGconn *pg, struct arena *a, const struct migrate_task *task, const struct migration *m,
    struct err *err)
{
	struct progress p = { .task = task, .m = m };
	const struct migrate_body body = { record_step, &p };
	struct migrate_step *steps;

	p.name = arena_printf(a, "migration %" PRId64 " (%s)", m->version, m->topic);
	p.nsteps = migrate_steps(a, m, &steps);
	snprintf(p.version, sizeof(p.version), "%" PRId64, m->version);
	snprintf(p.floor, sizeof(p.floor), "%" PRId64, migration_floor(m));
	migration_checksum(m, p.sum);
	if (count_steps(pg, &p, err) == -1)
		return -1;
	for (; p.step < p.nsteps; p.step++) {
		if (migrate_step_run(pg, p.name, &steps[p.step], &body, err) == -1)
			return -1;
	}
	return 0;
}

static int
begin_body(PGconn *pg, void *arg, struct err *err)
{
	return migrate_grant_begin(pg, arg, err);
}

/* Runs before the first migration. */
static int
begin_all(PGconn *pg, struct arena *a, const struct migrate_task *task, struct err *err)
{
	struct migrate_body body = { begin_body, NULL };

	if (task->grant_to == NULL)
		return 0;
	body.arg = arena_strdup(a, task->grant_to);
	return migrate_transaction(pg, "grant", &body, err);
}

static int
grant_body(PGconn *pg, void *arg, struct err *err)
{
	const struct migrate_task *task = arg;

	return migrate_grant(pg, task->actor, task->grant_to, err);
}

/* Grants rights where no migration was due. */
static int
grant_alone(PGconn *pg, const struct migrate_task *task, struct err *err)
{
	struct migrate_task copy = *task;
	const struct migrate_body body = { grant_body, &copy };

	return task->grant_to == NULL ? 0 : migrate_transaction(pg, "grant", &body, err);
}

/* Takes the lock, so that hosts take turns; it ends with the connection. */
static int
await_turn(PGconn *pg, struct err *err)
{
	bool ours = false;
	int rc = 0;

	while (rc == 0 && !ours) {
		PGresult *res = PQexec(pg, LOCK_SQL);

		if (PQresultStatus(res) != PGRES_TUPLES_OK)
			rc = migrate_failed(pg, "lock", res, err);
		else
			ours = PQgetvalue(res, 0, 0)[0] == 't';
		PQclear(res);
		if (rc == 0 && !ours)
			(void)poll(NULL, 0, TURN_MS);
	}
	return rc;
}

static int
bring_up(PGconn *pg, struct arena *a, const struct migrate_task *task, int64_t *newer,
    struct err *err)
{
	const struct migrate_body tables = { make_tables, NULL };
	size_t done;

	if (await_turn(pg, err) == -1 ||
	    migrate_transaction(pg, "schema_migrations", &tables, err) == -1 ||
	    migrate_applied(pg, &done, newer, err) == -1)
		return -1;
	/* a newer schema has rights that this program does not know */
	if (*newer != 0)
		return 0;
	if (done == nmigrations)
		return grant_alone(pg, task, err);
	if (migrate_check_sessions(pg, done, err) == -1 || begin_all(pg, a, task, err) == -1)
		return -1;
	for (size_t i = done; i < nmigrations; i++) {
		if (apply(pg, a, task, &migrations[i], err) == -1)
			return -1;
		task->applied(task->arg, &migrations[i]);
	}
	return migrate_sql(pg, "vacuum", VACUUM_SQL, err);
}

int
migrate_run(const struct migrate_task *task, int64_t *newer, struct err *err)
{
	PGconn *pg = migrate_connect(task->conninfo, err);
	struct arena *a;
	int rc;

	*newer = 0;
	if (pg == NULL)
		return -1;
	a = arena_new();
	rc = bring_up(pg, a, task, newer, err);
	PQfinish(pg);
	arena_free(a);
	return rc;
}
