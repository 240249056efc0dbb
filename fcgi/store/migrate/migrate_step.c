#include "store/migrate/migrate_step.h"

#include <assert.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "store/migrate/migrate_grant.h"
#include "store/migrate_sql.h"

#define STEP_HEAD "-- step: "

/* The longest time that a request waits behind a step that waits for a lock. */
#define LOCK_TIMEOUT_SQL "SET lock_timeout = '100ms'"

/* CREATE INDEX CONCURRENTLY waits for others, and nobody waits for it. */
#define LOCK_PATIENT_SQL "SET lock_timeout = 0"

enum {
	TEXT_MAX = 16 << 20,
	NAME_MAX_SQL = 256,
	TRY_FOR_US = 120 * CLOCK_SECOND, /* the time to get a lock */
	PAUSE_MS = 150, /* before the next try; it grows each time */
	PAUSE_MAX_MS = 2000,
	MICROSECONDS = 1000
};

static const struct {
	const char *word;
	enum migrate_step_kind kind;
} kinds[] = {
	{ "transaction\n", STEP_TRANSACTION },
	{ "index ", STEP_INDEX },
	{ "batches ", STEP_BATCHES },
};

/* Reads the head of a step.  False: the line is none. */
static bool
step_head(struct arena *a, const char *line, struct migrate_step *step)
{
	const char *said = line + strlen(STEP_HEAD);

	if (strncmp(line, STEP_HEAD, strlen(STEP_HEAD)) != 0)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t n = strlen(kinds[i].word);

		if (strncmp(said, kinds[i].word, n) != 0)
			continue;
		step->kind = kinds[i].kind;
		step->name = said[n] == '\0' ? NULL : arena_strndup(a, said + n, strcspn(said + n, "\n"));
		return true;
	}
	/* scripts/sql2c refuses others */
	assert(false);
	return false;
}

static size_t
count_heads(const struct migration *m)
{
	size_t n = 0;

	for (const char *const *line = m->lines; *line != NULL; line++)
		n += strncmp(*line, STEP_HEAD, strlen(STEP_HEAD)) == 0;
	return n;
}

size_t
migrate_steps(struct arena *a, const struct migration *m, struct migrate_step **out)
{
	struct migrate_step *steps = arena_calloc(a, count_heads(m) + 1, sizeof(*steps));
	struct buf text;
	size_t n = 0;

	buf_init(&text, a, TEXT_MAX);
	for (const char *const *line = m->lines; *line != NULL; line++) {
		if (!step_head(a, *line, &steps[n])) {
			buf_puts(&text, *line);
			continue;
		}
		/* only comments stand before the first head */
		if (n > 0)
			steps[n - 1].text = buf_str(&text);
		buf_init(&text, a, TEXT_MAX);
		n++;
	}
	assert(!buf_full(&text));
	/* a text without a head is one transaction */
	if (n == 0)
		n = 1;
	steps[n - 1].text = buf_str(&text);
	*out = steps;
	return n;
}

/* Was the lock taken, on a sound connection?  Then a later try may get it. */
static bool
is_busy(const PGconn *pg, const struct err *err)
{
	return err->status == 503 && PQstatus(pg) == CONNECTION_OK;
}

/* Waits after a failed try.  False: it was the last one. */
static bool
try_again(PGconn *pg, const char *what, int64_t began_us, int *pause_ms, struct err *err)
{
	struct err ignored = { 0 };

	if (!is_busy(pg, err))
		return false;
	if (PQtransactionStatus(pg) != PQTRANS_IDLE && migrate_sql(pg, what, "ROLLBACK", &ignored) == -1)
		return false;
	if (clock_us() - began_us > TRY_FOR_US) {
		err_context(err, "a long transaction of another session holds it; run `berth migrate` again "
		    "after that has ended: finished steps stay");
		return false;
	}
	(void)poll(NULL, 0, *pause_ms + (int)(clock_us() % PAUSE_MS));
	if (*pause_ms < PAUSE_MAX_MS)
		*pause_ms += PAUSE_MS;
	err_clear(err);
	return true;
}

static int
try_transaction(PGconn *pg, const char *what, const struct migrate_body *body, struct err *err)
{
	if (migrate_sql(pg, what, "BEGIN", err) == -1 || body->run(pg, body->arg, err) == -1)
		return -1;
	return migrate_sql(pg, what, "COMMIT", err);
}

int
migrate_transaction(PGconn *pg, const char *what, const struct migrate_body *body, struct err *err)
{
	int64_t began_us = clock_us();
	int pause_ms = PAUSE_MS;

	if (migrate_sql(pg, what, LOCK_TIMEOUT_SQL, err) == -1)
		return -1;
	while (try_transaction(pg, what, body, err) == -1) {
		if (!try_again(pg, what, began_us, &pause_ms, err))
			return -1;
	}
	return 0;
}

/* Runs a step that is a transaction, and records it. */
struct recorded {
	const char *what;
	const struct migrate_step *step;
	const struct migrate_body *record;
};

static int
run_recorded(PGconn *pg, void *arg, struct err *err)
{
	const struct recorded *r = arg;

	if (migrate_sql(pg, r->what, r->step->text, err) == -1)
		return -1;
	return r->record->run(pg, r->record->arg, err);
}

/* Does the index exist?  Drops an invalid one that a failed try has left. */
static int
index_look(PGconn *pg, const char *what, const char *name, bool *there, struct err *err)
{
	enum { COLUMNS_MIGRATE_INDEX };
	PGresult *res = migrate_query(pg, what, SQL_MIGRATE_INDEX, &name, 1, err);
	char drop[NAME_MAX_SQL];
	int rc = 0;

	*there = false;
	if (res == NULL)
		return -1;
	if (PQntuples(res) > 0) {
		*there = PQgetvalue(res, 0, VALID)[0] == 't';
		snprintf(drop, sizeof(drop), "DROP INDEX CONCURRENTLY %s", PQgetvalue(res, 0, QUOTED));
		if (!*there)
			rc = migrate_sql(pg, what, drop, err);
	}
	PQclear(res);
	return rc;
}

static int
try_index(PGconn *pg, const char *what, const struct migrate_step *step, struct err *err)
{
	bool there;

	if (index_look(pg, what, step->name, &there, err) == -1)
		return -1;
	return there ? 0 : migrate_sql(pg, what, step->text, err);
}

static int
run_index(PGconn *pg, const char *what, const struct migrate_step *step, struct err *err)
{
	int64_t began_us = clock_us();
	int pause_ms = PAUSE_MS;

	if (migrate_sql(pg, what, LOCK_PATIENT_SQL, err) == -1)
		return -1;
	while (try_index(pg, what, step, err) == -1) {
		if (!try_again(pg, what, began_us, &pause_ms, err))
			return -1;
	}
	return 0;
}

/* Runs one batch, its own transaction.  1: others may follow, 0: it was the last one, -1: err. */
static int
try_batch(PGconn *pg, const char *what, const char *sql, char at[24], struct err *err)
{
	enum { BATCH_LAST }; /* the one column, whatever the migration calls it */
	const char *values[] = { at };
	const Oid types[] = { 20 }; /* bigint */
	PGresult *res = PQexecParams(pg, sql, 1, types, values, NULL, NULL, 0);
	int rc;

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		rc = migrate_failed(pg, what, res, err);
	else
		rc = PQntuples(res) == 1 && PQgetisnull(res, 0, BATCH_LAST) == 0;
	if (rc == 1)
		snprintf(at, 24, "%s", PQgetvalue(res, 0, BATCH_LAST));
	PQclear(res);
	return rc;
}

static int
run_batches(PGconn *pg, const char *what, const struct migrate_step *step, struct err *err)
{
	int64_t began_us = clock_us();
	int pause_ms = PAUSE_MS;
	char at[24] = "0";
	int rc = 1;

	if (migrate_sql(pg, what, LOCK_TIMEOUT_SQL, err) == -1)
		return -1;
	while (rc != 0) {
		int64_t started = clock_us();

		rc = try_batch(pg, what, step->text, at, err);
		if (rc == -1 && !try_again(pg, what, began_us, &pause_ms, err))
			return -1;
		if (rc == -1)
			continue;
		/* pause as long as the batch took, for the requests */
		(void)poll(NULL, 0, (int)((clock_us() - started) / MICROSECONDS));
		began_us = clock_us();
		pause_ms = PAUSE_MS;
	}
	return 0;
}

int
migrate_step_run(PGconn *pg, const char *what, const struct migrate_step *step,
    const struct migrate_body *record, struct err *err)
{
	struct recorded recorded = { what, step, record };
	const struct migrate_body body = { run_recorded, &recorded };
	int rc;

	if (step->kind == STEP_TRANSACTION)
		return migrate_transaction(pg, what, &body, err);
	rc = step->kind == STEP_INDEX ? run_index(pg, what, step, err)
	                              : run_batches(pg, what, step, err);
	return rc == -1 ? -1 : migrate_transaction(pg, what, record, err);
}
