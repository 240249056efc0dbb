#ifndef STORE_DB_DB_CONN_H
#define STORE_DB_DB_CONN_H

/*
 * Shared by the files of store/db alone; nothing else includes it.  The connection is in pipeline mode for
 * all its life: whatever is sent ends in one Sync, and is read up to the answer to it.
 */

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/clock.h"
#include "store/db/db.h"
#include "store/db/db_hosts.h"

enum {
	DB_GRACE_US = CLOCK_SECOND, /* for the server to cancel by itself, and to answer a cancel */
	DB_IDLE_US = 10000, /* without use, after which db_look() looks */
	DB_NAME_SIZE = 128 /* of a session's name with a request's id */
};

struct db {
	char *conninfo;
	struct db_hosts hosts;
	size_t host; /* of the hosts, the one that is tried first */
	int64_t timeout_ms;
	int64_t deadline_us; /* 0: none */
	const struct db_patience *patience; /* NULL: none */
	bool away; /* the last error was that the database is away, which may pass */
	int64_t spent_us;
	int64_t used_us; /* of clock_us(): when the connection was last used, or looked at */
	PGconn *pg; /* NULL: not connected */
	uint64_t connections; /* made so far */
	/*
	 * The session's server process differs from the one that the connection was told: a pooler
	 * stands between.  From then on each new session is proven first.
	 */
	bool pooled;
	bool replica; /* db_set_replica() */
	enum db_unfit unfit;
	struct db_position position; /* db_set_position() */
	int64_t position_wait_us;
	uint64_t position_connection; /* the connection that has shown that it is there; 0: none */
	bool shared; /* sessions may be: see db_new_pooled() */
	bool unprepared; /* the last error was a prepared statement that the shared session lacks */
	bool claim_due; /* the next transaction first prepares what its session lacks */
	int64_t proven_us; /* by clock_us(): the last proof that this session is our own */
	bool fatal;
	enum db_schema schema;
	bool newer; /* the schema is newer than this program */
	int64_t refused_us; /* by clock_us(): no new connection before this time */
	struct err refusal; /* the error until then */
	bool notified; /* and not asked about yet */
	char name[64]; /* application_name of the session, as it was when it began */
	const char *request; /* NULL: none */
	bool told; /* this session has the name of the request */
	bool in_tx; /* inside db_transaction, also when the connection is lost there */
	bool begin_pending; /* BEGIN goes out with the first statement */
	const struct db_guard *guard; /* NULL: none */
	struct db_call guard_call;
	enum { GUARD_DUE, GUARD_ASKED, GUARD_PASSED } guard_state; /* in this transaction */
	void (*follow_up)(void *arg, struct db_call *); /* NULL: none */
	void *follow_up_arg;
	void (*meanwhile)(void *arg); /* NULL: nothing */
	void *meanwhile_arg;
	size_t answered; /* steps of the last round trip that have succeeded */
	bool committed; /* since db_take_commit() */
	bool commit_unknown;
	bool retry; /* the last error was a deadlock or a serialization failure */
	bool prepares_late; /* each statement at its first use in a session */
	/* where it prepares late; of a shared session, while it is claimed */
	enum { NOT_PREPARED, PREPARE_SENT, PREPARED } prepared[STMT__MAX];
};

struct db_stmt {
	const char *name;
	const char *text;
	int nparams;
};

extern const struct db_stmt db_stmts[STMT__MAX];

/* One statement of a round trip.  params NULL: none.  result NULL: nobody wants it. */
struct db_step {
	enum stmt stmt;
	const struct db_params *params;
	struct db_result *result;
	db_row_fn *row; /* NULL: the result gets the rows */
	void *arg;
	bool added; /* Berth added it; the caller did not ask for it */
};

/* The name by which this handle's sessions know a statement. */
const char *db_stmt_name(const struct db *, enum stmt);

/* Binds the parameters of session_settings.  `name` stays borrowed. */
void db_bind_settings(const struct db *, struct db_params *, const char *name);

/* Writes the name of the session for the current request, or for none. */
void db_session_name(const struct db *, char *name, size_t size);

/*
 * Sends the settings, reads the schema, and prepares the statements that db->prepared does not have yet: in
 * an idle session, or in the open transaction of a shared one.  -1: as db_connect(); drop the connection.
 */
int db_prepare_session(struct db *, struct err *) __attribute__((warn_unused_result));

/*
 * Opens a transaction in a shared session, and prepares in it what the session lacks.  -1: 503, and the
 * connection is dropped; or as db_prepare_session().
 */
int db_claim(struct db *, struct err *) __attribute__((warn_unused_result));

/* Sends one statement without preparing it, and reads its answer.  take: gets the rows, or NULL.  -1: 503. */
int db_ask(struct db *, enum stmt, const char *param, void (*take)(void *arg, PGresult *), void *arg,
    struct err *) __attribute__((warn_unused_result));

/* Reads the answers of one round trip. */
struct db_reader {
	struct db *db;
	int64_t until_us;
	bool late; /* a cancel was sent */
	/*
	 * The statement may commit.  It is not cancelled: a COMMIT that waits for a synchronous standby
	 * would answer a cancel with success, although no standby has it (PostgreSQL, 27.2.8.3).
	 */
	bool commits;
};

/* A reader that waits until the deadline or the statement time-out, whichever is first. */
struct db_reader db_reader_new(struct db *);

/* Restarts the time-out: something has arrived. */
void db_reader_extend(struct db_reader *);

/*
 * The next result, NULL at the end of one statement's.  Cancels what is late.
 * -1: 503, the connection is dropped.
 */
int db_reader_next(struct db_reader *, const char *name, PGresult **out, struct err *)
    __attribute__((warn_unused_result));

/* The answer to the Sync.  -1: as db_reader_next. */
int db_reader_end(struct db_reader *, struct err *) __attribute__((warn_unused_result));

/*
 * Waits for `events` on the connection's socket.  1: they are there, 0: the
 * moment has passed, -1: poll failed.
 */
int db_poll(const struct db *, short events, int64_t until_us);

/* Sends the steps as one round trip and reads all of its answers. */
int db_steps(struct db *, struct arena *, const struct db_step *, size_t n, struct err *)
    __attribute__((warn_unused_result));

/*
 * Opens the connection in pipeline mode, without settings and prepared statements.  -1: 503, and the
 * connection is dropped.
 */
int db_open(struct db *, struct err *) __attribute__((warn_unused_result));

/* Is the encoding of the database UTF8?  PostgreSQL has told it when it let us in.  -1: 503. */
int db_check_encoding(const struct db *, struct err *) __attribute__((warn_unused_result));

/*
 * Resets an open session, and proves that it belongs to us alone for as long as it is connected: a
 * second session sends it a notification.  Only in such a session do settings,
 * prepared statements, LISTEN and session state have the effect that the rest
 * of this program relies on.  It drops notifications that arrive meanwhile, so the session must listen
 * for nothing else.  -1: 503 the session is shared (which is remembered for some seconds), or no proof
 * is possible.
 */
int db_prove_session(struct db *, struct err *) __attribute__((warn_unused_result));

/* Proves a session in use again from time to time; drops one that is shared by now. */
void db_prove_again(struct db *);

/* Turns a failed result into err; sets db->retry.  Returns -1. */
int db_error(struct db *, const char *name, const PGresult *, struct err *);

/* PQclear(), for arena_defer(). */
void db_clear_result(void *res);

/* The connection is of no use any more: closes it and makes err a 503.  Returns -1. */
int db_lost(struct db *, const char *name, struct err *);

void db_drop(struct db *);

#endif
