#include "store/db/db_conn.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>

#include "base/clock.h"

int
db_poll(const struct db *db, short events, int64_t until_us)
{
	struct pollfd p = { .fd = PQsocket(db->pg), .events = events };

	for (;;) {
		int64_t ms = (until_us - clock_us() + 999) / 1000;
		int n;

		if (ms <= 0)
			return 0;
		n = poll(&p, 1, ms < INT_MAX ? (int)ms : INT_MAX);
		if (n > 0)
			return 1;
		if (n == -1 && errno != EINTR)
			return -1;
	}
}

void
db_reader_extend(struct db_reader *r)
{
	const struct db *db = r->db;

	/* a process that was asked to stop gets no more time */
	if (r->late)
		return;
	/* the server's statement_timeout ends earlier and leaves the connection whole */
	r->until_us = clock_us() + db->timeout_ms * 1000 + DB_GRACE_US;
	if (db->deadline_us != 0 && db->deadline_us < r->until_us)
		r->until_us = db->deadline_us;
}

struct db_reader
db_reader_new(struct db *db)
{
	struct db_reader r = { .db = db };

	db_reader_extend(&r);
	return r;
}

static void *
cancel_main(void *arg)
{
	PGcancel *cancel = arg;
	char why[256];

	/* whether it worked shows in what the connection says next */
	(void)PQcancel(cancel, why, sizeof(why));
	PQfreeCancel(cancel);
	return NULL;
}

/*
 * The moment has passed: asks the server to stop, once.  false: it was asked already.  A server
 * that hangs does not answer this either, and PQcancel waits for it without end: let a thread
 * do that.  What commits is not asked to stop, and gets the same time to end by itself.
 */
static bool
reader_cancel(struct db_reader *r)
{
	PGcancel *cancel;
	pthread_t thread;

	if (r->late)
		return false;
	r->late = true;
	r->until_us = clock_us() + DB_GRACE_US;
	if (r->commits)
		return true;
	cancel = PQgetCancel(r->db->pg);
	if (cancel == NULL)
		return false;
	if (pthread_create(&thread, NULL, cancel_main, cancel) != 0) {
		PQfreeCancel(cancel);
		return false;
	}
	pthread_detach(thread);
	return true;
}

int
db_reader_next(struct db_reader *r, const char *name, PGresult **out, struct err *err)
{
	PGconn *pg = r->db->pg;

	*out = NULL;
	/* most often it came along with what was read before */
	while (PQisBusy(pg) == 1) {
		int unsent = PQflush(pg);
		int ready;

		if (unsent == -1)
			return db_lost(r->db, name, err);
		ready = db_poll(r->db, unsent == 1 ? POLLIN | POLLOUT : POLLIN, r->until_us);
		if (ready == -1)
			return db_lost(r->db, name, err);
		if (ready == 0 && !reader_cancel(r)) {
			/* the server is cut off or hangs; another one may have replaced it */
			r->db->away = true;
			db_leave(r->db);
			return err_internal(err, 503, "database: %s: no answer in time", name);
		}
		if (PQconsumeInput(pg) == 0)
			return db_lost(r->db, name, err);
	}
	*out = PQgetResult(pg);
	return 0;
}

int
db_reader_end(struct db_reader *r, struct err *err)
{
	PGresult *res;
	bool synced;

	if (db_reader_next(r, "sync", &res, err) == -1)
		return -1;
	synced = PQresultStatus(res) == PGRES_PIPELINE_SYNC;
	PQclear(res);
	if (!synced)
		return db_lost(r->db, "sync", err);
	/* the cancel may arrive yet: it must not meet what is sent next */
	if (r->late)
		db_drop(r->db);
	return 0;
}
