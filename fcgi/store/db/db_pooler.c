#include "store/db/db_conn.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/random.h"

enum {
	PROOF_MS = 3000, /* for the notification to arrive, and for the second session to answer */
	REFUSAL_US = 5 * CLOCK_SECOND, /* before a refused pooler is asked again */
	PROOF_PERIOD_US = 10 * CLOCK_SECOND, /* between two proofs: the mode of a pooler may change while it runs */
	WORD_BYTES = 16
};

bool
db_is_pooled(const struct db *db)
{
	return db->pooled;
}

int
db_ask(struct db *db, enum stmt stmt, const char *param, void (*take)(void *arg, PGresult *), void *arg,
    struct err *err)
{
	const char *name = db_stmts[stmt].name;
	struct db_reader reader = db_reader_new(db);
	PGresult *res;
	int rc = 0;

	reader.commits = stmt == STMT_SESSION_COMMIT;
	if (PQsendQueryParams(db->pg, db_stmts[stmt].text, param != NULL, NULL, &param, NULL, NULL, 1) != 1 ||
	    PQpipelineSync(db->pg) != 1)
		return db_lost(db, name, err);
	for (;;) {
		if (db_reader_next(&reader, name, &res, err) == -1)
			return -1;
		if (res == NULL)
			break;
		if (rc == 0 && PQresultStatus(res) == PGRES_FATAL_ERROR)
			rc = db_error(db, name, res, err);
		else if (take != NULL && PQresultStatus(res) == PGRES_TUPLES_OK)
			take(arg, res);
		PQclear(res);
	}
	if (rc == -1 || db_reader_end(&reader, err) == -1)
		return -1;
	/* the answer came so late that the connection was dropped */
	return db->pg != NULL ? 0 : err_internal(err, 503, "database: %s: no answer in time", name);
}

static void
take_pid(void *pid, PGresult *res)
{
	enum { COLUMNS_SESSION_BACKEND };

	*(int64_t *)pid = db_int(&(struct db_result) { .pg = res, .rows = 1 }, 0, PID);
}

/* Runs one unprepared statement in a round trip of its own.  pid: its answer, or NULL. */
static int
ask(struct db *db, enum stmt stmt, const char *param, int64_t *pid, struct err *err)
{
	return db_ask(db, stmt, param, pid == NULL ? NULL : take_pid, pid, err);
}

/* Reads the notifications that have arrived.  True: one of them is the word. */
static bool
has_come(struct db *db, const char *word)
{
	bool found = false;
	PGnotify *note;

	while ((note = PQnotifies(db->pg)) != NULL) {
		found = found || strcmp(note->extra, word) == 0;
		PQfreemem(note);
	}
	return found;
}

/*
 * Does the word arrive at an idle session?  Send nothing meanwhile: a shared session gets
 * notifications during its own statements.  -1: the connection has ended.
 */
static int
hears(struct db *db, const char *word, struct err *err)
{
	int64_t until_us = clock_us() + (int64_t)PROOF_MS * 1000;

	while (!has_come(db, word)) {
		int ready = db_poll(db, POLLIN, until_us);

		if (ready == 0)
			return 0;
		if (ready == -1 || PQconsumeInput(db->pg) == 0)
			return db_lost(db, db_stmts[STMT_SESSION_LISTEN].name, err);
	}
	return 1;
}

/* Remembers the refusal, so that the next caller gets it at once. */
static int
refuse(struct db *db, struct err *err)
{
	err_internal(err, 503,
	    "the connection to the database goes through a pooler that does not give each client a"
	    " session of its own (PgBouncer: pool_mode = transaction or statement); set pool_mode ="
	    " session there, or pool_mode = transaction and `database_direct` to PostgreSQL itself");
	db->refusal = *err;
	db->refused_us = clock_us() + REFUSAL_US;
	return -1;
}

/* A proof needs a second session. */
static int
cannot_prove(struct err *err)
{
	struct err why = *err;

	return err_internal(err, 503,
	    "the connection to the database goes through a pooler, and a second session, which finds "
	    "out its pool_mode, failed (%s); Berth needs pool_mode = session, and a pool_size above "
	    "the number of its own sessions", why.detail);
}

/*
 * The other session sends the word.  Where the pooler shares sessions, the process that has just served
 * this session mostly serves the other one, too, which proves the sharing at once.  1: the word was sent,
 * 0: the session is shared, -1: the other session does not work.
 */
static int
tell(struct db *db, struct db *other, const char *word, struct err *err)
{
	int64_t mine = 0, theirs = 0;

	if (ask(db, STMT_SESSION_LISTEN, NULL, NULL, err) == -1 ||
	    ask(db, STMT_SESSION_BACKEND, NULL, &mine, err) == -1 || db_open(other, err) == -1 ||
	    ask(other, STMT_SESSION_BACKEND, NULL, &theirs, err) == -1)
		return -1;
	if (mine == theirs)
		return 0;
	return ask(other, STMT_SESSION_NOTIFY, word, NULL, err) == -1 ? -1 : 1;
}

static int
prove_with(struct db *db, struct db *other, struct err *err)
{
	char word[2 * WORD_BYTES + 1];
	unsigned char bytes[WORD_BYTES];
	int told;

	if (random_bytes(bytes, sizeof(bytes), err) == -1)
		return -1;
	hex_encode(bytes, sizeof(bytes), word);
	told = tell(db, other, word, err);
	if (told == 1)
		told = hears(db, word, err);
	if (told == -1)
		return cannot_prove(err);
	if (told == 0)
		return refuse(db, err);
	/* drop notifications for others, so that no later listener gets them */
	if (ask(db, STMT_SESSION_UNLISTEN, NULL, NULL, err) == -1)
		return -1;
	(void)has_come(db, word);
	db->proven_us = clock_us();
	return 0;
}

static int
prove(struct db *db, struct err *err)
{
	struct db *other = db_new(db->conninfo, PROOF_MS);
	int rc;

	other->deadline_us = db->deadline_us;
	rc = prove_with(db, other, err);
	db_free(other);
	return rc;
}

int
db_prove_session(struct db *db, struct err *err)
{
	/* a pooler without a reset query leaves statements that another client has prepared */
	if (ask(db, STMT_SESSION_DISCARD, NULL, NULL, err) == -1)
		return cannot_prove(err);
	return prove(db, err);
}

void
db_prove_again(struct db *db)
{
	struct err err = { 0 };

	if (!db->pooled || db->shared || db->pg == NULL || clock_us() - db->proven_us < PROOF_PERIOD_US)
		return;
	db->proven_us = clock_us();
	/* a pooler without a free session says nothing about its mode */
	if (prove(db, &err) == -1 && clock_us() < db->refused_us)
		db_drop(db);
}

int
db_check_server(const char *conninfo, struct err *err)
{
	struct db *db = db_new(conninfo, PROOF_MS);
	struct err away = { 0 };
	int64_t pid = 0;
	int rc = 0;

	if (db_open(db, &away) == 0)
		rc = db_check_encoding(db, err);
	if (rc == 0 && db->pg != NULL &&
	    ask(db, STMT_SESSION_BACKEND, NULL, &pid, &away) == 0 && pid != PQbackendPID(db->pg))
		rc = db_prove_session(db, err);
	db_free(db);
	return rc;
}
