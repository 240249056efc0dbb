#include "store/db/db_conn.h"

#include <poll.h>

#include "base/clock.h"

enum { ATTEMPTS = 3, PAUSE_MS = 25 };

bool
db_is_idle(const struct db *db)
{
	return !db->in_tx && (db->pg == NULL || PQtransactionStatus(db->pg) == PQTRANS_IDLE);
}

bool
db_take_commit(struct db *db, bool *unknown)
{
	bool committed = db->committed || db->commit_unknown;

	*unknown = db->commit_unknown;
	db->committed = db->commit_unknown = false;
	return committed;
}

void
db_found_done(struct db *db)
{
	db->commit_unknown = true;
	/* roll back: the caller may have lost the right to these writes */
	db->guard_state = GUARD_PASSED;
}

static int
control(struct db *db, enum stmt stmt, struct err *err)
{
	struct db_step step = { .stmt = stmt };

	return db_steps(db, NULL, &step, 1, err);
}

/* Leaves no transaction behind; a connection that cannot even roll back is dropped. */
static void
roll_back(struct db *db)
{
	int64_t deadline = db->deadline_us;
	bool retry = db->retry, away = db->away;
	struct err ignored;

	if (db->pg == NULL || PQtransactionStatus(db->pg) == PQTRANS_IDLE)
		return;
	/* the request may be late, the rollback is still due */
	db->deadline_us = clock_us() + DB_GRACE_US;
	if (control(db, STMT_SESSION_ROLLBACK, &ignored) == -1)
		db_drop(db);
	db->deadline_us = deadline;
	db->retry = retry;
	db->away = away;
}

void
db_set_guard(struct db *db, const struct db_guard *guard)
{
	db->guard = guard;
}

/* Asks the guard, unless it ran along with other statements, and reads its answer. */
static int
pass_guard(struct db *db, struct err *err)
{
	const struct db_guard *guard = db->guard;

	if (guard == NULL || db->guard_state == GUARD_PASSED)
		return 0;
	if (db->guard_state == GUARD_DUE) {
		db->guard_call = (struct db_call) { 0 };
		guard->call(guard->arg, &db->guard_call);
		if (db_run(db, guard->arena, &db->guard_call, 1, err) == -1)
			return -1;
	}
	db->guard_state = GUARD_PASSED;
	return guard->judge(guard->arg, &db->guard_call, err);
}

int
db_guard_first(struct db *db, struct err *err)
{
	return pass_guard(db, err);
}

void
db_set_follow_up(struct db *db, void (*call)(void *arg, struct db_call *), void *arg)
{
	db->follow_up = call;
	db->follow_up_arg = arg;
}

/* Sends COMMIT, and the follow-up with it.  0: it has committed. */
static int
send_commit(struct db *db, struct err *err)
{
	struct db_call call = { 0 };
	struct db_step steps[2] = { { .stmt = STMT_SESSION_COMMIT } };
	size_t n = 1;

	if (db->follow_up != NULL) {
		db->follow_up(db->follow_up_arg, &call);
		steps[n++] = (struct db_step) { .stmt = call.stmt, .params = &call.params, .row = call.row,
			.arg = call.arg };
	}
	if (db_steps(db, NULL, steps, n, err) == -1) {
		if (db->answered == 0)
			return -1;
		db->commit_unknown = true;
		err_clear(err);
	}
	/* one that came late has cost the connection */
	db->commit_unknown = db->commit_unknown || db->pg == NULL;
	db->committed = true;
	return 0;
}

static int
commit(struct db *db, bool *unknown, struct err *err)
{
	bool connected = db->pg != NULL;

	/* the body asked for nothing */
	if (db->begin_pending)
		return 0;
	/* COMMIT would quietly roll back */
	if (connected && PQtransactionStatus(db->pg) == PQTRANS_INERROR)
		return err_internal(err, 500, "database: commit after a failed statement");
	if (send_commit(db, err) == 0)
		return 0;
	/* an error that leaves the connection standing is an answer */
	if (connected && (db->pg == NULL || PQstatus(db->pg) == CONNECTION_BAD)) {
		*unknown = db->commit_unknown = true;
		err_internal(err, 503, "database: COMMIT was not answered");
	}
	return -1;
}

/*
 * Lets the winner of a deadlock take what was released before we ask for it
 * again; not all losers for the same time.
 */
static void
pause_before_retry(int attempt)
{
	(void)poll(NULL, 0, attempt * PAUSE_MS + (int)(clock_us() % PAUSE_MS));
}

int
db_transaction(struct db *db, int (*body)(struct db *, void *, struct err *), void *arg,
    bool *unknown, struct err *err)
{
	int rc = -1;

	*unknown = false;
	if (db->in_tx)
		return body(db, arg, err);
	for (int attempt = 1; attempt <= ATTEMPTS;) {
		db->in_tx = true;
		db->begin_pending = true;
		db->retry = false;
		db->guard_state = GUARD_DUE;
		rc = body(db, arg, err);
		/* a transaction without statements needs no guard */
		if (rc == 0 && !db->begin_pending)
			rc = pass_guard(db, err);
		if (rc == 0)
			rc = commit(db, unknown, err);
		if (rc == -1)
			roll_back(db);
		db->in_tx = false;
		db->begin_pending = false;
		if (rc == 0 || *unknown)
			break;
		/* nothing of it is there: its COMMIT was never sent */
		if (!db->retry && !db_try_again(db))
			break;
		if (db->retry && ++attempt <= ATTEMPTS)
			pause_before_retry(attempt - 1);
		if (attempt <= ATTEMPTS)
			err_clear(err);
	}
	return rc;
}
