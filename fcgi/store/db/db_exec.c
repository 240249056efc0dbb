#include "store/db/db_conn.h"

#include <assert.h>

#include "base/clock.h"
#include "base/fault.h"

/* Longer than a list may take. */
enum { LIST_US = 600 * CLOCK_SECOND };

/* Whose fault a failure is, by the first characters of its SQLSTATE. */
static const struct {
	const char *prefix;
	bool retry;
	bool away; /* nothing was done, and another connection may find the database back */
} passing[] = {
	{ "08", .away = true }, /* the connection */
	{ "57P01", .away = true }, /* the server is stopped */
	{ "57P02", .away = true }, /* ... or has crashed */
	{ "57P03", .away = true }, /* ... or is starting */
	{ "53300", .away = true }, /* out of connections */
	{ "53", .retry = false }, /* out of disk, memory */
	{ "57014", .retry = false }, /* cancelled: statement_timeout, or by us */
	{ "55P03", .retry = false }, /* lock_timeout */
	{ "25006", .away = true }, /* the server only reads: a standby */
	{ "40001", .retry = true }, /* serialization failure */
	{ "40P01", .retry = true }, /* deadlock */
};

/* libpq's sentences end in newlines, and may have several lines. */
static void
set_detail(struct err *err, int status, const char *name, const char *state, const char *message)
{
	err_internal(err, status, "database: %s: %s%s%.*s", name, state, state[0] ? ": " : "",
	    (int)strcspn(message, "\n"), message);
}

int
db_lost(struct db *db, const char *name, struct err *err)
{
	const char *message = PQerrorMessage(db->pg);

	set_detail(err, 503, name, "", message[0] != '\0' ? message : "connection lost");
	db->away = true;
	db_drop(db);
	return -1;
}

/* Messages of classes 22 (data) and 23 (constraints) quote values: a constraint's name will do. */
static const char *
safe_message(const PGresult *res, const char *state)
{
	bool quotes = strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0;
	const char *s = PQresultErrorField(res, quotes ? PG_DIAG_CONSTRAINT_NAME :
	                                                 PG_DIAG_MESSAGE_PRIMARY);

	return s != NULL ? s : "";
}

int
db_error(struct db *db, const char *name, const PGresult *res, struct err *err)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	int status = 500;

	/* made by libpq itself: the connection broke */
	if (state == NULL) {
		set_detail(err, 503, name, "", PQresultErrorMessage(res));
		db->away = true;
		return -1;
	}
	for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++) {
		if (strncmp(state, passing[i].prefix, strlen(passing[i].prefix)) == 0) {
			status = 503;
			db->retry = passing[i].retry;
			db->away = passing[i].away;
			break;
		}
	}
	/* the prepared statement is missing: a pooler may share this session by now, so prove it again */
	if (db->pooled && strcmp(state, "26000") == 0) {
		status = 503;
		db->proven_us = 0;
		db->unprepared = db->shared;
	}
	set_detail(err, status, name, state, safe_message(res, state));
	return -1;
}

static bool
send_step(struct db *db, const struct db_step *step)
{
	static const struct db_params none;
	const struct db_stmt *stmt = &db_stmts[step->stmt];
	const struct db_params *p = step->params != NULL ? step->params : &none;

	assert(p->n == stmt->nparams);
	FAULT_POINT("send", stmt->name);
	if (db->prepares_late && db->prepared[step->stmt] == NOT_PREPARED) {
		if (PQsendPrepare(db->pg, stmt->name, stmt->text, 0, NULL) != 1)
			return false;
		db->prepared[step->stmt] = PREPARE_SENT;
	}
	/* after an error in a shared session, which may lack the prepared one */
	if (db->shared && step->stmt == STMT_SESSION_ROLLBACK)
		return PQsendQueryParams(db->pg, stmt->text, 0, NULL, NULL, NULL, NULL, 1) == 1;
	return PQsendQueryPrepared(
		   db->pg, db_stmt_name(db, step->stmt), p->n, p->value, p->length, p->binary, 1) == 1;
}

static void
take_result(struct arena *a, PGresult *res, struct db_result *out)
{
	if (out == NULL) {
		PQclear(res);
		return;
	}
	*out = (struct db_result) { .pg = res, .rows = PQntuples(res) };
	/* a number, or nothing for a statement that affects no rows */
	out->affected = strtoll(PQcmdTuples(res), NULL, 10);
	arena_defer(a, db_clear_result, res);
}

/* Hands over one row, unless an earlier statement has failed. */
static int
take_row(struct db_reader *r, const struct db_step *step, PGresult *res, int rc, struct err *err)
{
	struct db_result row = { .pg = res, .rows = 1 };

	assert(step->row != NULL);
	if (rc == 0)
		rc = step->row(step->arg, &row, err);
	PQclear(res);
	db_reader_extend(r);
	return rc;
}

/* Reads the answer to the preparation that went out with a statement.  As read_step. */
static int
read_prepare(struct db_reader *r, enum stmt stmt, int *rc, struct err *err)
{
	struct err later;
	bool good = false;
	PGresult *res;

	for (;;) {
		if (db_reader_next(r, db_stmts[stmt].name, &res, *rc == 0 ? err : &later) == -1)
			return -1;
		if (res == NULL)
			break;
		if (PQresultStatus(res) == PGRES_COMMAND_OK)
			good = true;
		else if (*rc == 0)
			*rc = db_error(r->db, db_stmts[stmt].name, res, err);
		PQclear(res);
	}
	r->db->prepared[stmt] = good ? PREPARED : NOT_PREPARED;
	return 0;
}

/* Reads one statement's answer.  *rc becomes -1 with the first failure of the round trip. */
static int
read_step(struct db_reader *r, struct arena *a, const struct db_step *step, int *rc,
    struct err *err)
{
	const char *name = db_stmts[step->stmt].name;
	struct err later; /* a lost connection after a failure does not replace it */
	PGresult *res;

	if (r->db->prepared[step->stmt] == PREPARE_SENT &&
	    read_prepare(r, step->stmt, rc, err) == -1)
		return -1;
	/* the server skips the statement after an earlier failure */
	if (step->row != NULL)
		(void)PQsetSingleRowMode(r->db->pg);
	for (;;) {
		ExecStatusType status;

		if (db_reader_next(r, name, &res, *rc == 0 ? err : &later) == -1)
			return -1;
		if (res == NULL) {
			FAULT_POINT("answered", name);
			return 0;
		}
		status = PQresultStatus(res);
		if (status == PGRES_SINGLE_TUPLE) {
			*rc = take_row(r, step, res, *rc, err);
			continue;
		}
		if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
			take_result(a, res, step->result);
			continue;
		}
		/* what follows a failure was not run: PGRES_PIPELINE_ABORTED */
		if (*rc == 0)
			*rc = db_error(r->db, name, res, err);
		PQclear(res);
	}
}

/* Does the replica have to show in this connection that it has replayed enough? */
static bool
is_position_due(const struct db *db)
{
	return db->position.lsn != NULL && db->position_connection != db->connections;
}

/*
 * Asks that, in a transaction of its own: its answer comes before the statements behind it are done, and
 * their snapshots are newer, whatever the isolation level is.
 */
static bool
send_position(struct db *db)
{
	struct db_params params = { .n = 0 };
	const struct db_step step = { .stmt = STMT_SESSION_REPLAYED, .params = &params };

	db_bind_str(&params, db->position.lsn);
	db_bind_int(&params, db->position.timeline);
	db_bind_str(&params, db->position.database);
	return send_step(db, &step) && PQpipelineSync(db->pg) == 1;
}

/* Reads the answer to that.  As read_step. */
static int
read_position(struct db *db, struct arena *a, int *rc, struct err *err)
{
	enum { COLUMNS_SESSION_REPLAYED };
	struct db_reader reader = { .db = db, .until_us = clock_us() + db->position_wait_us };
	struct db_result r = { .rows = 0 };
	const struct db_step step = { .stmt = STMT_SESSION_REPLAYED, .result = &r };

	if (read_step(&reader, a, &step, rc, err) == -1 || db_reader_end(&reader, err) == -1)
		return -1;
	if (*rc == -1)
		return 0;
	if (!db_bool(&r, 0, IS_REPLICA)) {
		db_leave(db);
		*rc = err_internal(err, 503, "database: the server is not a replica of the one that `database` names");
		return 0;
	}
	if (db_bool(&r, 0, REPLAYED)) {
		db->position_connection = db->connections;
		return 0;
	}
	db->unfit = DB_UNFIT_LAGS;
	*rc = err_internal(err, 503, "database: the replica has not replayed enough");
	return 0;
}

/* The steps of one round trip, with those that they need around them. */
struct trip {
	struct db_step steps[DB_CALLS_MAX + 5];
	size_t n;
	struct db_params settings, request;
	bool tells; /* it names the request */
	char name[DB_NAME_SIZE];
};

static void
add_own(struct trip *t, enum stmt stmt, const struct db_params *params)
{
	t->steps[t->n++] = (struct db_step) { .stmt = stmt, .params = params, .added = true };
}

/*
 * BEGIN goes out with the first step of a transaction, and in a shared session the settings, too.  The first
 * round trip of a request names it.
 */
static void
plan_trip(struct db *db, const struct db_step *steps, size_t n, struct trip *t)
{
	bool idle = PQtransactionStatus(db->pg) == PQTRANS_IDLE;

	t->n = 0;
	t->settings.n = t->request.n = 0;
	t->tells = idle && db->request != NULL && !db->told && !db->shared;
	if (db->shared || t->tells)
		db_session_name(db, t->name, sizeof(t->name));
	if (db->shared)
		db_bind_settings(db, &t->settings, t->name);
	if (db->begin_pending)
		add_own(t, STMT_SESSION_BEGIN, NULL);
	db->begin_pending = false;
	if (t->tells) {
		db_bind_str(&t->request, t->name);
		add_own(t, STMT_SESSION_TELL_REQUEST, &t->request);
	}
	if (db->shared && idle)
		add_own(t, STMT_SESSION_SETTINGS, &t->settings);
	for (size_t i = 0; i < n; i++) {
		t->steps[t->n++] = steps[i];
		if (db->shared && steps[i].stmt == STMT_SESSION_COMMIT && i + 1 < n)
			add_own(t, STMT_SESSION_SETTINGS, &t->settings);
	}
}

static int
send_trip(struct db *db, const struct trip *t, struct err *err)
{
	if (is_position_due(db) && !send_position(db))
		return db_lost(db, "position", err);
	for (size_t i = 0; i < t->n; i++) {
		if (!send_step(db, &t->steps[i]))
			return db_lost(db, db_stmts[t->steps[i].stmt].name, err);
	}
	return PQpipelineSync(db->pg) == 1 ? 0 : db_lost(db, "sync", err);
}

/* Do the statements only read, by their first word? */
static bool
only_read(const struct db_step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strncmp(db_stmts[steps[i].stmt].text, "SELECT", 6) != 0)
			return false;
	}
	return true;
}

/* Can the statements be sent again, although it is unknown whether they ran? */
static bool
can_repeat(const struct db_step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (steps[i].row != NULL)
			return false;
	}
	return only_read(steps, n);
}

void
db_set_meanwhile(struct db *db, void (*run)(void *arg), void *arg)
{
	db->meanwhile = run;
	db->meanwhile_arg = arg;
}

/* The time that this takes is not spent on waiting for the server. */
static void
run_meanwhile(struct db *db, struct db_reader *reader)
{
	void (*run)(void *arg) = db->meanwhile;
	int64_t began = clock_us();

	if (run == NULL)
		return;
	db->meanwhile = NULL;
	run(db->meanwhile_arg);
	db->spent_us -= clock_us() - began;
	db_reader_extend(reader);
}

static int
run_steps(struct db *db, struct arena *a, const struct db_step *steps, size_t n, struct err *err)
{
	bool with_position = is_position_due(db);
	struct db_reader reader = db_reader_new(db);
	struct trip t;
	int rc = 0;

	reader.commits = db->in_tx ? steps[0].stmt == STMT_SESSION_COMMIT : !only_read(steps, n);
	if (db->claim_due && db->begin_pending) {
		if (db_claim(db, err) == -1)
			return -1;
		db->begin_pending = db->claim_due = false;
	}
	/* the server stores all rows of a list at once: db_list() */
	if (steps[0].stmt == STMT_SESSION_CLOSE_LISTING)
		reader.until_us += LIST_US;
	plan_trip(db, steps, n, &t);
	if (send_trip(db, &t, err) == -1)
		return -1;
	run_meanwhile(db, &reader);
	if (FAULT_FAILS("sent", db_stmts[steps[0].stmt].name))
		return db_lost(db, "sync", err);
	if (with_position && read_position(db, a, &rc, err) == -1)
		return -1;
	for (size_t i = 0; i < t.n; i++) {
		if (read_step(&reader, a, &t.steps[i], &rc, err) == -1)
			return -1;
		if (rc == 0 && !t.steps[i].added)
			db->answered++;
	}
	/* what is rolled back is the name, too */
	if (rc == -1 || steps[0].stmt == STMT_SESSION_ROLLBACK)
		db->told = false;
	else if (t.tells)
		db->told = true;
	if (rc == -1) {
		struct err later;

		/* what failed is known already; a broken connection is dropped in passing */
		(void)!db_reader_end(&reader, &later);
		return -1;
	}
	return db_reader_end(&reader, err);
}

/*
 * Runs the steps, none of which has run, in a transaction of a session that gets what it lacks.  The pooler
 * could give a repeated round trip yet another session.
 */
static int
run_claimed(struct db *db, struct arena *a, const struct db_step *steps, size_t n, struct err *err)
{
	struct err later;

	err_clear(err);
	if (db_claim(db, err) == -1)
		return -1;
	db->answered = 0;
	if (run_steps(db, a, steps, n, err) == 0)
		return db_ask(db, STMT_SESSION_COMMIT, NULL, NULL, NULL, err);
	if (db->pg != NULL && db_ask(db, STMT_SESSION_ROLLBACK, NULL, NULL, NULL, &later) == -1)
		db_drop(db);
	return -1;
}

static int
steps_once(struct db *db, struct arena *a, const struct db_step *steps, size_t n, struct err *err)
{
	int64_t started = clock_us();
	int rc;

	db->retry = db->away = db->unprepared = false;
	db->answered = 0;
	if (db->pg == NULL && db->in_tx && !db->begin_pending)
		return err_internal(
		    err, 503, "database: the connection was lost in this transaction");
	if (db->deadline_us != 0 && started >= db->deadline_us)
		return err_internal(err, 503, "database: %s: past the deadline",
		    db_stmts[steps[0].stmt].name);
	if (db_connect(db, err) == -1)
		return -1;
	started = clock_us();
	rc = run_steps(db, a, steps, n, err);
	if (rc == -1 && db->unprepared && db->in_tx)
		db->retry = db->claim_due = true;
	else if (rc == -1 && db->unprepared && db->answered == 0)
		rc = run_claimed(db, a, steps, n, err);
	db->used_us = clock_us();
	db->spent_us += db->used_us - started;
	return rc;
}

int
db_steps(struct db *db, struct arena *a, const struct db_step *steps, size_t n, struct err *err)
{
	int rc = steps_once(db, a, steps, n, err);

	/* it belongs to this call, also if nothing was sent */
	db->meanwhile = NULL;
	return rc;
}

static int
steps_try(struct db *db, struct arena *a, const struct db_step *steps, size_t n, struct err *err)
{
	while (db_steps(db, a, steps, n, err) == -1) {
		if (db->replica && db->unfit == DB_FIT)
			db->unfit = DB_UNFIT_FAILS;
		if (!can_repeat(steps, n) || !db_try_again(db))
			return -1;
		err_clear(err);
	}
	return 0;
}

int
db_exec(struct db *db, struct arena *a, enum stmt stmt, const struct db_params *params,
    struct db_result *result, struct err *err)
{
	struct db_step step = { .stmt = stmt, .params = params, .result = result };

	return steps_try(db, a, &step, 1, err);
}

static struct db_step
step_of(struct db_call *call)
{
	return (struct db_step) { .stmt = call->stmt, .params = &call->params, .result = &call->result,
		.row = call->row, .arg = call->arg };
}

int
db_run(struct db *db, struct arena *a, struct db_call *calls, size_t n, struct err *err)
{
	struct db_step steps[DB_CALLS_MAX];

	assert(n > 0 && n <= DB_CALLS_MAX);
	for (size_t i = 0; i < n; i++)
		steps[i] = step_of(&calls[i]);
	return steps_try(db, a, steps, n, err);
}

int
db_list(struct db *db, struct arena *a, enum stmt stmt, const struct db_params *params, struct err *err)
{
	const struct db_step steps[] = { { .stmt = STMT_SESSION_CLOSE_LISTING },
		{ .stmt = stmt, .params = params } };

	return steps_try(db, a, steps, sizeof(steps) / sizeof(*steps), err);
}

int
db_list_next(struct db *db, struct arena *a, struct db_result *r, struct err *err)
{
	return db_exec(db, a, STMT_SESSION_FETCH_LISTING, NULL, r, err);
}

int
db_run_beside(struct db *db, struct arena *a, struct db_call *first, struct db_call *others, size_t n,
    struct err *err)
{
	struct db_step steps[DB_CALLS_MAX] = { step_of(first) };

	assert(n < DB_CALLS_MAX);
	for (size_t i = 0; i < n; i++)
		steps[1 + i] = step_of(&others[i]);
	return steps_try(db, a, steps, 1 + n, err);
}

int
db_run_last(struct db *db, struct arena *a, struct db_call *calls, size_t n, struct err *err)
{
	struct db_step steps[DB_CALLS_MAX + 1];

	assert(n > 0 && n <= DB_CALLS_MAX && db->in_tx);
	for (size_t i = 0; i < n; i++)
		steps[i] = step_of(&calls[i]);
	if (db->guard != NULL && db->guard_state == GUARD_DUE) {
		db->guard_call = (struct db_call) { 0 };
		db->guard->call(db->guard->arg, &db->guard_call);
		db->guard_state = GUARD_ASKED;
		steps[n++] = step_of(&db->guard_call);
	}
	return db_steps(db, a, steps, n, err);
}
