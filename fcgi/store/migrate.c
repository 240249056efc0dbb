#include "store/migrate.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "store/db_conn.h"
#include "store/migrate_grant.h"

const struct migration migrations[] = {
#define MIGRATION(version, topic, ...) \
	{ version, topic, (const char *const[]) { __VA_ARGS__, NULL } },
#include "store/migrations.inc"
#undef MIGRATION
};
const size_t nmigrations = sizeof(migrations) / sizeof(*migrations);

enum {
	CHECKSUM_SIZE = 65,
	TEXT_MAX = 16 << 20
};

/* Any number will do, as long as it stays the same: "Berth". */
#define LOCK_SQL "SELECT pg_advisory_lock(x'4265727468'::bigint)"

/* Waiting long for a table's lock would make every request wait behind us. */
#define LOCK_TIMEOUT_SQL "SET lock_timeout = '10s'"

#define SESSION_SQL \
	"SET search_path = public, pg_temp; SET client_min_messages = warning;" \
	" SET standard_conforming_strings = on; SET statement_timeout = 0"

#define RECORD_SQL \
	"INSERT INTO schema_migrations (version, topic, checksum, floor) VALUES ($1, $2, $3, $4)"

/* ALTER TABLE alone would make every session that connects wait, also where it has nothing to do. */
#define TABLE_SQL \
	"CREATE TABLE IF NOT EXISTS schema_migrations (" \
	"version integer PRIMARY KEY, topic text NOT NULL, checksum text NOT NULL," \
	" applied_at timestamptz NOT NULL DEFAULT now());" \
	" DO $$ BEGIN" \
	" IF NOT EXISTS (SELECT FROM pg_attribute WHERE attname = 'floor'" \
	" AND attrelid = 'schema_migrations'::regclass) THEN" \
	" ALTER TABLE schema_migrations ADD COLUMN floor integer;" \
	" END IF; " \
	"END $$"

/*
 * Of a table that was written anew no page is known as visible to all, so that what indexes have is
 * looked up in its rows as well, and of a new column nothing is known.  By itself PostgreSQL would
 * turn to it after the next hundred thousands of rows.  What is locked just then is left to that.
 */
#define VACUUM_SQL "VACUUM (ANALYZE, SKIP_LOCKED) crates, versions, crate_search"

#define APPLIED_SQL \
	"SELECT version, checksum, coalesce(floor, version) FROM schema_migrations ORDER BY version"

enum { VERSION, CHECKSUM, FLOOR };

#define FLOOR_HEAD "-- floor: "

int64_t
migrate_newest(void)
{
	return migrations[nmigrations - 1].version;
}

static void
checksum(const struct migration *m, char out[CHECKSUM_SIZE])
{
	unsigned char digest[SHA256_SIZE];
	struct sha256 hash;
	bool good;

	(void)sha256_begin(&hash);
	for (const char *const *line = m->lines; *line != NULL; line++)
		(void)sha256_add(&hash, *line, strlen(*line));
	good = sha256_end(&hash, digest);
	/* SHA-256 of memory fails only where there is no memory */
	assert(good);
	hex_encode(digest, sizeof(digest), out);
}

/* The oldest program that works with the schema that this leaves. */
static int64_t
floor_of(const struct migration *m)
{
	for (const char *const *line = m->lines; *line != NULL; line++) {
		if (strncmp(*line, FLOOR_HEAD, strlen(FLOOR_HEAD)) == 0)
			return strtoll(*line + strlen(FLOOR_HEAD), NULL, 10);
	}
	return m->version;
}

/* One that this program does not know. */
static int
check_newer(const PGresult *res, int i, struct err *err)
{
	int64_t floor = strtoll(PQgetvalue(res, i, FLOOR), NULL, 10);

	if (floor <= migrate_newest())
		return 0;
	return err_set(err, 409, "the database is newer than this program: its migration %s is for "
	    "programs from %" PRId64 " on, this one ends at %" PRId64 "; run a newer one",
	    PQgetvalue(res, i, VERSION), floor, migrate_newest());
}

/* The migration at position i of the table of those applied must be ours, with our text. */
static int
check_applied(const PGresult *res, int i, struct err *err)
{
	const char *version = PQgetvalue(res, i, VERSION);
	char ours[24], sum[CHECKSUM_SIZE];

	if ((size_t)i >= nmigrations)
		return check_newer(res, i, err);
	snprintf(ours, sizeof(ours), "%" PRId64, migrations[i].version);
	if (strcmp(ours, version) != 0)
		return err_set(err, 409, "the database has migration %s where this program has %s",
		    version, ours);
	checksum(&migrations[i], sum);
	if (strcmp(sum, PQgetvalue(res, i, CHECKSUM)) != 0)
		return err_set(err, 409, "migration %s (%s) was applied with another text", ours,
		    migrations[i].topic);
	return 0;
}

/* How many of our migrations are there already, and the newest one that is not ours. */
static int
count_applied(PGconn *pg, size_t *n, int64_t *newer, struct err *err)
{
	PGresult *res;
	int rc = 0;

	if (migrate_sql(pg, "schema_migrations", TABLE_SQL, err) == -1)
		return -1;
	res = PQexec(pg, APPLIED_SQL);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		rc = migrate_failed(pg, "schema_migrations", res, err);
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

static int
record(PGconn *pg, const char *name, const struct migration *m, struct err *err)
{
	char version[24], floor[24], sum[CHECKSUM_SIZE];
	const char *values[] = { version, m->topic, sum, floor };
	PGresult *res;
	int rc = 0;

	snprintf(version, sizeof(version), "%" PRId64, m->version);
	snprintf(floor, sizeof(floor), "%" PRId64, floor_of(m));
	checksum(m, sum);
	res = PQexecParams(pg, RECORD_SQL, 4, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		rc = migrate_failed(pg, name, res, err);
	PQclear(res);
	return rc;
}

/* Rights go along with the last migration, for whoever waits for that. */
static int
grant(PGconn *pg, const struct migrate_task *task, const struct migration *m, struct err *err)
{
	if (task->grant_to == NULL || m->version != migrate_newest())
		return 0;
	return migrate_grant(pg, task->actor, task->grant_to, err);
}

static int
apply(PGconn *pg, struct arena *a, const struct migrate_task *task, const struct migration *m,
    struct err *err)
{
	const struct audit_event event = { .action = AUDIT_SCHEMA_MIGRATE, .id_key = "version",
		.id = m->version, .facts = { { "topic", m->topic, false } } };
	char *name = arena_printf(a, "migration %" PRId64 " (%s)", m->version, m->topic);
	struct buf text;

	buf_init(&text, a, TEXT_MAX);
	for (const char *const *line = m->lines; *line != NULL; line++)
		buf_puts(&text, *line);
	assert(!buf_full(&text));
	/* whatever fails, closing the connection rolls back */
	if (migrate_sql(pg, name, "BEGIN", err) == -1 ||
	    migrate_sql(pg, name, buf_str(&text), err) == -1 ||
	    record(pg, name, m, err) == -1 || migrate_audit(pg, task->actor, &event, err) == -1 ||
	    grant(pg, task, m, err) == -1)
		return -1;
	return migrate_sql(pg, name, "COMMIT", err);
}

/* Nothing was to be applied; rights may be. */
static int
grant_alone(PGconn *pg, const struct migrate_task *task, struct err *err)
{
	if (task->grant_to == NULL)
		return 0;
	if (migrate_sql(pg, "grant", "BEGIN", err) == -1 ||
	    migrate_grant(pg, task->actor, task->grant_to, err) == -1)
		return -1;
	return migrate_sql(pg, "grant", "COMMIT", err);
}

static int
bring_up(PGconn *pg, struct arena *a, const struct migrate_task *task, int64_t *newer,
    struct err *err)
{
	size_t done;

	/* the advisory lock makes hosts take turns; it goes with the connection */
	if (migrate_sql(pg, "session", SESSION_SQL, err) == -1 ||
	    migrate_sql(pg, "lock", LOCK_SQL, err) == -1 ||
	    migrate_sql(pg, "session", LOCK_TIMEOUT_SQL, err) == -1 ||
	    count_applied(pg, &done, newer, err) == -1)
		return -1;
	/* what is newer has rights that this program knows nothing of */
	if (*newer != 0)
		return 0;
	for (size_t i = done; i < nmigrations; i++) {
		if (apply(pg, a, task, &migrations[i], err) == -1)
			return -1;
		task->applied(task->arg, &migrations[i]);
	}
	if (done == nmigrations)
		return grant_alone(pg, task, err);
	return migrate_sql(pg, "vacuum", VACUUM_SQL, err);
}

static void
ignore_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

int
migrate_run(const struct migrate_task *task, int64_t *newer, struct err *err)
{
	static const char *const keys[] = { "fallback_application_name", "connect_timeout",
		"dbname", "client_encoding", NULL };
	const char *values[] = { "berth migrate", "10", task->conninfo, "UTF8", NULL };
	struct arena *a;
	PGconn *pg;
	int rc;

	*newer = 0;
	if (db_check_conninfo(task->conninfo, err) == -1 ||
	    db_check_pooler(task->conninfo, err) == -1)
		return -1;
	a = arena_new();
	pg = PQconnectdbParams(keys, values, 1);
	if (PQstatus(pg) == CONNECTION_OK) {
		PQsetNoticeReceiver(pg, ignore_notice, NULL);
		rc = bring_up(pg, a, task, newer, err);
	} else {
		rc = migrate_failed(pg, "connect", NULL, err);
	}
	PQfinish(pg);
	arena_free(a);
	return rc;
}
