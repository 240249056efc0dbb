#include "store/db/db_conn.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/db/db_peer.h"
#include "store/db/migrations.h"

enum {
	LOOKS_MAX = 8, /* reads per wait: any answer arrives in fewer pieces */
	AGAIN_MS = 200, /* between two attempts of one that has patience */
	REFUSED_US = CLOCK_SECOND /* before a schema that does not fit is read again */
};

const struct db_stmt db_stmts[STMT__MAX] = {
#define STMT(id, nparams, name, text) [STMT_##id] = { name, text, nparams },
#include "store/stmt.inc"
#undef STMT
};

struct db *
db_new(const char *conninfo, int64_t timeout_ms)
{
	struct db *db = calloc(1, sizeof(*db));

	assert(timeout_ms > 0);
	if (db == NULL || (db->conninfo = strdup(conninfo)) == NULL)
		abort();
	db->timeout_ms = timeout_ms;
	db_hosts_read(&db->hosts, conninfo);
	return db;
}

void
db_prepare_late(struct db *db)
{
	db->prepares_late = !db->shared;
}

void
db_free(struct db *db)
{
	if (db == NULL)
		return;
	db_drop(db);
	db_hosts_free(&db->hosts);
	free(db->conninfo);
	free(db);
}

void
db_drop(struct db *db)
{
	PQfinish(db->pg);
	db->pg = NULL;
	/* what the session knew of its commits has gone with it */
	db->commit_unknown = db->commit_unknown || db->committed;
}

size_t
db_nhosts(const struct db *db)
{
	return db->hosts.n > 0 ? db->hosts.n : 1;
}

void
db_leave(struct db *db)
{
	db->host = (db->host + 1) % db_nhosts(db);
	db_drop(db);
}

void
db_disconnect(struct db *db)
{
	db_drop(db);
}

bool
db_fatal(const struct db *db)
{
	return db->fatal;
}

enum db_schema
db_schema(const struct db *db)
{
	return db->schema;
}

enum db_schema
db_schema_of(int64_t version, int64_t floor)
{
	int64_t ours = migrations_newest();

	if (version < ours)
		return DB_SCHEMA_OLD;
	return floor <= ours ? DB_SCHEMA_FITS : DB_SCHEMA_NEW;
}

int
db_fd(const struct db *db)
{
	return db->pg == NULL ? -1 : PQsocket(db->pg);
}

/* Parses what was read, and takes the notifications out of it. */
static void
take_notifications(struct db *db)
{
	PGnotify *note;

	while ((note = PQnotifies(db->pg)) != NULL) {
		db->notified = true;
		PQfreemem(note);
	}
}

void
db_idle_event(struct db *db)
{
	if (db->pg == NULL)
		return;
	if (PQconsumeInput(db->pg) == 0 || PQstatus(db->pg) == CONNECTION_BAD)
		db_drop(db);
	else
		take_notifications(db);
}

void
db_look(struct db *db)
{
	int64_t now = clock_us();

	if (now - db->used_us < DB_IDLE_US)
		return;
	db->used_us = now;
	/* what was said comes first, then the end */
	for (int i = 0; i < LOOKS_MAX && db->pg != NULL; i++) {
		struct pollfd p = { .fd = PQsocket(db->pg), .events = POLLIN };

		if (poll(&p, 1, 0) != 1)
			break;
		db_idle_event(db);
	}
	db_prove_again(db);
}

bool
db_notified(struct db *db)
{
	bool notified;

	if (db->pg != NULL)
		take_notifications(db);
	notified = db->notified;
	db->notified = false;
	return notified;
}

uint64_t
db_connections(const struct db *db)
{
	return db->connections;
}

bool
db_notification(struct db *db, char *payload, size_t size)
{
	PGnotify *note;

	if (db->pg == NULL)
		return false;
	if (PQconsumeInput(db->pg) == 0 || PQstatus(db->pg) == CONNECTION_BAD) {
		db_drop(db);
		return false;
	}
	note = PQnotifies(db->pg);
	if (note == NULL)
		return false;
	snprintf(payload, size, "%s", note->extra);
	PQfreemem(note);
	return true;
}

void
db_set_deadline(struct db *db, int64_t us)
{
	db->deadline_us = us;
}

void
db_set_request(struct db *db, const char *id)
{
	db->request = id;
	db->told = false;
}

void
db_set_patience(struct db *db, const struct db_patience *patience)
{
	db->patience = patience;
}

bool
db_try_again(struct db *db)
{
	const struct db_patience *p = db->patience;

	if (p == NULL || !db->away || db->in_tx || clock_us() + (int64_t)AGAIN_MS * 1000 >= p->until_us ||
	    !p->go_on(p->arg))
		return false;
	(void)poll(NULL, 0, AGAIN_MS);
	/* the server that answered is not the one that is waited for */
	db_drop(db);
	return true;
}

int64_t
db_take_us(struct db *db)
{
	int64_t us = db->spent_us;

	db->spent_us = 0;
	return us;
}

/* Warnings of the server are no errors, and leaves do not log. */
static void
ignore_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

static int
start(struct db *db, struct err *err)
{
	char user_timeout[24], name[64];
	bool one = db->hosts.n > 0;
	/* what stands before dbname is a default that the connection string may override */
	const char *keys[] = { "fallback_application_name", "tcp_user_timeout", "dbname",
		"client_encoding", one ? "host" : NULL, "hostaddr", "port", NULL };
	const char *values[] = { name, user_timeout, db->conninfo, "UTF8",
		one ? db->hosts.host[db->host] : NULL, one ? db->hosts.address[db->host] : NULL,
		one ? db->hosts.port[db->host] : NULL, NULL };

	/*
	 * `berth migrate` looks for programs that are too old (store/migrate/migrate_sessions.h).  A process of the
	 * pool is called `berth-fcgi: read worker`.
	 */
	snprintf(name, sizeof(name), "%.*s/%" PRId64, (int)strcspn(program_invocation_short_name, ":"),
	    program_invocation_short_name, migrations_newest());
	snprintf(user_timeout, sizeof(user_timeout), "%" PRId64, db->timeout_ms);
	db->pg = db_peer_connect(PQconnectStartParams, keys, values, db->conninfo);
	if (db->pg == NULL)
		abort();
	if (PQstatus(db->pg) == CONNECTION_BAD)
		return db_lost(db, "connect", err);
	PQsetNoticeReceiver(db->pg, ignore_notice, NULL);
	return 0;
}

static int
shake_hands(struct db *db, int64_t until_us, struct err *err)
{
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;

	while (state != PGRES_POLLING_OK) {
		int ready;

		if (state == PGRES_POLLING_FAILED)
			return db_lost(db, "connect", err);
		ready = db_poll(db, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_us);
		if (ready <= 0) {
			db->away = true;
			db_drop(db);
			return err_internal(err, 503, "database: connect: %s",
			    ready == 0 ? "timed out" : strerror(errno));
		}
		state = PQconnectPoll(db->pg);
	}
	return 0;
}

/* The connection string may have given another name than start(). */
static void
note_name(struct db *db)
{
	const char *name = PQparameterStatus(db->pg, "application_name");

	snprintf(db->name, sizeof(db->name), "%s", name == NULL ? "" : name);
	db->told = false;
}

/* Tries each host, first the one that was in use, each for its part of the time. */
static int
open_one(struct db *db, struct err *err)
{
	size_t n = db_nhosts(db);
	int64_t until_us = db_reader_new(db).until_us;

	for (size_t left = n; left > 0; left--) {
		int64_t now = clock_us();

		if (start(db, err) == 0 && shake_hands(db, now + (until_us - now) / (int64_t)left, err) == 0)
			return 0;
		db->host = (db->host + 1) % n;
		if (left > 1)
			err_clear(err);
	}
	return -1;
}

int
db_open(struct db *db, struct err *err)
{
	memset(db->prepared, 0, sizeof(db->prepared));
	if (open_one(db, err) == -1)
		return -1;
	if (PQsetnonblocking(db->pg, 1) != 0 || PQenterPipelineMode(db->pg) != 1)
		return db_lost(db, "connect", err);
	note_name(db);
	return 0;
}

/* The statements that are prepared with the connection. */
static size_t
nprepares(const struct db *db)
{
	return db->prepares_late ? 0 : STMT__MAX;
}

/* Sends settings, the schema's version and all prepares in one go. */
static bool
send_session(struct db *db)
{
	struct db_params p = { .n = 0 };

	db_bind_settings(db, &p, db->name);
	if (PQsendQueryParams(db->pg, db_stmts[STMT_SESSION_SETTINGS].text, p.n, NULL, p.value, p.length,
	        p.binary, 1) != 1 ||
	    PQsendQueryParams(db->pg, db_stmts[STMT_SESSION_SCHEMA].text, 0, NULL, NULL, NULL, NULL,
	        1) != 1)
		return false;
	for (size_t i = 0; i < nprepares(db); i++) {
		if (db->prepared[i] != PREPARED &&
		    PQsendPrepare(db->pg, db_stmt_name(db, (enum stmt)i), db_stmts[i].text, 0, NULL) != 1)
			return false;
	}
	return PQpipelineSync(db->pg) == 1;
}

/* PostgreSQL tells a client its process number; a pooler makes one up. */
static void
note_process(struct db *db, PGresult *res)
{
	enum { COLUMNS_SESSION_SETTINGS };
	const struct db_result row = { .pg = res, .rows = PQntuples(res) };

	if (db_int(&row, 0, PID) != PQbackendPID(db->pg))
		db->pooled = true; /* a shared session is known to be pooled */
}

enum { ASKED_SETTINGS, ASKED_SCHEMA, ASKED_PREPARES };

static const char *
asked_name(size_t i)
{
	switch (i) {
	case ASKED_SETTINGS:
		return db_stmts[STMT_SESSION_SETTINGS].name;
	case ASKED_SCHEMA:
		return db_stmts[STMT_SESSION_SCHEMA].name;
	default:
		return db_stmts[i - ASKED_PREPARES].name;
	}
}

/* Remembers that the schema does not fit; err has the reason. */
static int
refuse(struct db *db, enum db_schema schema, struct err *err)
{
	if (schema != DB_SCHEMA_NOT_UTF8)
		err_tell(err, "the registry is being upgraded; try again in a moment");
	db->schema = schema;
	db->refusal = *err;
	db->refused_us = clock_us() + REFUSED_US;
	return -1;
}

/* Sets err where the table of migrations cannot be read. */
static int
schema_error(struct db *db, const char *state, struct err *err)
{
	if (strcmp(state, "42P01") == 0) {
		err_internal(err, 503, "database: there is no schema yet; run `berth migrate`");
	} else if (strcmp(state, "42501") == 0) {
		err_internal(err, 503, "database: the role of `database` may not read the schema; "
		    "run `berth migrate --grant-to ROLE`");
	} else {
		db->fatal = true;
		return -1;
	}
	return refuse(db, DB_SCHEMA_MISSING, err);
}

/* Settings, the schema's version or a statement failed.  An error other than 503 stays as it is. */
static int
session_error(struct db *db, size_t asked, const PGresult *res, struct err *err)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	db_error(db, asked_name(asked), res, err);
	if (err->status == 503)
		return -1;
	if (asked == ASKED_SCHEMA && state != NULL)
		return schema_error(db, state, err);
	if (asked >= ASKED_PREPARES && db->newer) {
		char why[ERR_DETAIL_SIZE];

		/* the floor of a migration is wrong: a statement fails on its schema, which needs another migration */
		snprintf(why, sizeof(why), "%s", err->detail);
		err_internal(err, 503, "the schema is newer and does not fit this program: %.*s",
		    ERR_DETAIL_SIZE - 64, why);
		return refuse(db, DB_SCHEMA_NEW, err);
	}
	db->fatal = true;
	return -1;
}

static int
check_schema(struct db *db, PGresult *res, struct err *err)
{
	enum { COLUMNS_SESSION_SCHEMA };
	struct db_result row = { .pg = res, .rows = PQntuples(res) };
	int64_t have = db_int(&row, 0, VERSION), floor = db_int(&row, 0, FLOOR), expected = migrations_newest();
	enum db_schema schema = db_schema_of(have, floor);

	db->newer = have > expected;
	db->schema = schema;
	if (schema == DB_SCHEMA_FITS)
		return 0;
	if (schema == DB_SCHEMA_OLD)
		err_internal(err, 503, "database: the schema has version %" PRId64
		    ", and this program needs %" PRId64 "; run `berth migrate`", have, expected);
	else
		err_internal(err, 503, "database: the schema has version %" PRId64
		    " and needs a program of version %" PRId64 " at least; this one has %" PRId64
		    "; install a newer one", have, floor, expected);
	return refuse(db, schema, err);
}

/* Reads the answers to send_session; the first failure counts. */
static int
read_session(struct db *db, struct err *err)
{
	struct db_reader reader = db_reader_new(db);
	int rc = 0;

	for (size_t i = 0; i < ASKED_PREPARES + nprepares(db); i++) {
		PGresult *res;

		if (i >= ASKED_PREPARES && db->prepared[i - ASKED_PREPARES] == PREPARED)
			continue;
		for (;;) {
			ExecStatusType status;

			if (db_reader_next(&reader, asked_name(i), &res, err) == -1)
				return -1;
			if (res == NULL)
				break;
			status = PQresultStatus(res);
			if (rc == 0 && status == PGRES_FATAL_ERROR)
				rc = session_error(db, i, res, err);
			else if (i == ASKED_SETTINGS && status == PGRES_TUPLES_OK)
				note_process(db, res);
			else if (rc == 0 && i == ASKED_SCHEMA && status == PGRES_TUPLES_OK)
				rc = check_schema(db, res, err);
			PQclear(res);
		}
	}
	return rc == 0 ? db_reader_end(&reader, err) : -1;
}

int
db_check_encoding(const struct db *db, struct err *err)
{
	const char *encoding = PQparameterStatus(db->pg, "server_encoding");

	if (encoding == NULL || strcmp(encoding, "UTF8") == 0)
		return 0;
	return err_internal(err, 503, "database: its encoding is %s, and Berth needs UTF8; create the database "
	    "with `createdb -E UTF8 -T template0`", encoding);
}

int
db_prepare_session(struct db *db, struct err *err)
{
	if (!send_session(db))
		return db_lost(db, "prepare", err);
	return read_session(db, err);
}

static int
open_and_prepare(struct db *db, struct err *err)
{
	if (db_open(db, err) == -1)
		return -1;
	if (db_check_encoding(db, err) == -1)
		return refuse(db, DB_SCHEMA_NOT_UTF8, err);
	/* later transactions may get other sessions, but this shows errors at once */
	if (db->shared)
		return db_claim(db, err) == -1 ? -1 : db_ask(db, STMT_SESSION_COMMIT, NULL, NULL, NULL, err);
	if (db->pooled && db_prove_session(db, err) == -1)
		return -1;
	return db_prepare_session(db, err);
}

static int
connect_and_prepare(struct db *db, struct err *err)
{
	bool pooled = db->pooled;
	int rc;

	/* it never gets better */
	db->fatal = db_check_conninfo(db->conninfo, err) == -1;
	if (db->fatal)
		return -1;
	rc = open_and_prepare(db, err);
	if (pooled || !db->pooled)
		return rc;
	/* settings and prepared statements may lie in several sessions: begins again */
	db_drop(db);
	db->fatal = false;
	db->schema = DB_SCHEMA_UNKNOWN;
	db->refused_us = 0;
	err_clear(err);
	return open_and_prepare(db, err);
}

static int
connect_once(struct db *db, struct err *err)
{
	int64_t started = clock_us();
	int rc;

	if (started < db->refused_us) {
		*err = db->refusal;
		db->away = false;
		return -1;
	}
	db->schema = DB_SCHEMA_UNKNOWN;
	rc = connect_and_prepare(db, err);
	if (rc == -1)
		db_drop(db);
	else
		db->connections++;
	db->used_us = clock_us();
	db->spent_us += db->used_us - started;
	return rc;
}

int
db_connect(struct db *db, struct err *err)
{
	if (db->pg != NULL)
		return 0;
	db->away = false;
	while (connect_once(db, err) == -1) {
		if (!db_try_again(db))
			return -1;
		err_clear(err);
	}
	return 0;
}
