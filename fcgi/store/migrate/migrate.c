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
#include "store/migrate_sql.h"

enum { TURN_MS = 100 }; /* between two tries to get the lock */

static int
make_tables(PGconn *pg, void *arg, struct err *err)
{
	(void)arg;
	return migrate_sql(pg, "schema_migrations", SQL_MIGRATE_MAKE_TABLES, err);
}

/* A migration that is being applied, and its progress. */
struct progress {
	const struct migrate_task *task;
	const struct migration *m;
	const char *name;
	char version[24], floor[24], sum[MIGRATION_CHECKSUM_SIZE];
	size_t step, nsteps;
};

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

	if (migrate_run_with(pg, p->name, SQL_MIGRATE_RECORD, values, 4, err) == -1 ||
	    migrate_run_with(pg, p->name, SQL_MIGRATE_FORGET_STEPS, values, 1, err) == -1 ||
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
	return migrate_run_with(pg, p->name, SQL_MIGRATE_RECORD_STEP, values, 3, err);
}

/* Counts the steps that an earlier run has done. */
static int
count_steps(PGconn *pg, struct progress *p, struct err *err)
{
	enum { COLUMNS_MIGRATE_STEPS };
	const char *const values[] = { p->version };
	PGresult *res = migrate_query(pg, p->name, SQL_MIGRATE_STEPS, values, 1, err);
	int rc = 0;

	if (res == NULL)
		return -1;
	p->step = strtoul(PQgetvalue(res, 0, STEPS), NULL, 10);
	if (p->step > 0 && (strcmp(p->sum, PQgetvalue(res, 0, FIRST)) != 0 ||
	    strcmp(p->sum, PQgetvalue(res, 0, LAST)) != 0 || p->step >= p->nsteps))
		rc = err_set(err, 409, "another version of the program has begun %s with "
		    "another text; finish it with `berth migrate` of that version", p->name);
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
	enum { COLUMNS_MIGRATE_LOCK };

	for (;;) {
		PGresult *res = migrate_query(pg, "lock", SQL_MIGRATE_LOCK, NULL, 0, err);
		bool ours = res != NULL && PQgetvalue(res, 0, TAKEN)[0] == 't';

		PQclear(res);
		if (ours || res == NULL)
			return ours ? 0 : -1;
		(void)poll(NULL, 0, TURN_MS);
	}
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
	/* VACUUM would mark new tables as empty, and the planner would believe that while they grow */
	return done == 0 ? 0 : migrate_sql(pg, "vacuum", SQL_MIGRATE_VACUUM, err);
}

int
migrate_run(const struct migrate_task *task, int64_t *newer, struct err *err)
{
	PGconn *pg = migrate_connect(task->conninfo, NULL, err);
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
