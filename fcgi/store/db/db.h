#ifndef STORE_DB_DB_H
#define STORE_DB_DB_H

/*
 * The one door to PostgreSQL.  Every statement is a named one from
 * sql/queries/, prepared when the connection is made, so that a bad statement
 * stops the start and not a request.  Only files of store/ call this.
 *
 * Waiting is bounded by the deadline that the caller sets; a statement that
 * passes it is cancelled and is a 503.  A lost connection is a 503 for the
 * request that meets it and is made again by the next one, unless that request has patience
 * (db_set_patience()).
 *
 * SQLSTATE to status: class 08, 57P01..57P03, 53xxx, 57014, 55P03, 25006 -> 503; 40001,
 * 40P01 -> the transaction is tried again, 503 in the end; everything else is our
 * mistake -> 500.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/slice.h"

/* enum stmt: STMT_CRATE_INDEX ..., made from sql/queries/ by scripts/sql2c. */
#include "store/stmt.h"

struct db;

enum { DB_PARAMS_MAX = 48, DB_CALLS_MAX = 16 };

/*
 * Parameters in the order $1, $2 ..., {0} at first.  Strings and bytes are
 * borrowed until the call is over.  Numbers lie inside: not to be copied once bound.
 */
struct db_params {
	const char *value[DB_PARAMS_MAX];
	int length[DB_PARAMS_MAX];
	int binary[DB_PARAMS_MAX];
	char number[DB_PARAMS_MAX][DECIMAL_SIZE];
	int n;
};

void db_bind_int(struct db_params *, int64_t);
void db_bind_bool(struct db_params *, bool);
void db_bind_str(struct db_params *, const char *); /* NULL: null */
void db_bind_slice(struct db_params *, struct arena *, struct slice); /* text; no NUL inside */
void db_bind_bytes(struct db_params *, struct slice); /* bytea */
void db_bind_null(struct db_params *);
void db_bind_id(struct db_params *, int64_t); /* of a row; 0: null */
/* Seconds since 1970, for to_timestamp($n::bigint); 0: null. */
void db_bind_time(struct db_params *, int64_t);
/* A text[] from n strings (NULL elements are nulls). */
void db_bind_array(struct db_params *, struct arena *, const char *const *, size_t n);
/* A bigint[]. */
void db_bind_ids(struct db_params *, struct arena *, const int64_t *, size_t n);

/* Rows, in binary form; cleared with the arena. */
struct db_result {
	void *pg; /* PGresult */
	int rows;
	int64_t affected;
};

/* Copies a result until db_result_end().  If memory is short, the copy has no rows. */
struct db_result db_result_copy(const struct db_result *);
/* Empties *r.  The strings of the copy stay valid until the arena ends, which frees them. */
void db_result_end(struct db_result *r, struct arena *);
/* Are the first columns of two results the same in all rows? */
bool db_results_equal(const struct db_result *, const struct db_result *, int columns);

/*
 * Takes one row of a statement whose rows would not fit into memory.  `row` has that row alone and ends
 * when the function returns.  -1, with err set: the statement fails, and the other rows are dropped.
 */
typedef int db_row_fn(void *arg, const struct db_result *row, struct err *);

struct db_call {
	enum stmt stmt;
	struct db_params params;
	struct db_result result; /* empty where `row` takes the rows */
	db_row_fn *row; /* NULL: the result has the rows */
	void *arg;
};

/*
 * A handle that is not connected yet.  conninfo as libpq has it;
 * timeout_ms bounds connecting and each statement (statement_timeout on the server,
 * and a little more here).
 */
struct db *db_new(const char *conninfo, int64_t timeout_ms);

/*
 * The same, for a caller that needs no state of a session.  If `direct` is another connection string,
 * `conninfo` may lead through a pooler that gives each transaction another session, as PgBouncer does with
 * pool_mode = transaction: then the settings are made for each transaction, and a session gets the prepared
 * statements when one is missing (db_shared.c).  Must not listen.
 */
struct db *db_new_pooled(const char *conninfo, const char *direct, int64_t timeout_ms);

/*
 * Each statement is prepared at its first use in a session, in the same round trip: for a program that ends
 * soon, or uses few.  Without it a new session prepares all of them, so that no request waits for that, and
 * a schema that lacks something is refused at once.  Of no effect where sessions are shared.
 */
void db_prepare_late(struct db *);
void db_free(struct db *);

/*
 * How far the primary had written its write-ahead log: everything acknowledged before is below that.
 * Strings of the arena of the statement that has read it.
 */
struct db_position {
	const char *lsn; /* NULL: unknown */
	int64_t timeline;
	const char *database; /* the same at its replicas alone */
};

/* The statement that asks the primary; add it to a round trip.  A server that is no primary: unknown. */
void db_position_call(struct db_call *);
void db_position_read(const struct db_call *, struct db_position *);

/* The handle is of a replica, which only reads.  Such a handle prepares late. */
void db_set_replica(struct db *);
/*
 * From here on the replica has to have replayed its log up to this position.  It says so in the round trip of
 * the next statement, within wait_us, and again in each new connection; if it has not, the statement fails.
 * Borrows the position.
 */
void db_set_position(struct db *replica, const struct db_position *, int64_t wait_us);
/*
 * For a function that has to write before it can read.  True: the handle is of a replica, so do not write;
 * the caller has to repeat the read at the primary.
 */
bool db_defer_to_primary(struct db *);

/* Why a read has to be repeated at the primary. */
enum db_unfit {
	DB_FIT, /* it does not have to */
	DB_UNFIT_LAGS, /* the replica has not replayed enough */
	DB_UNFIT_WRITES, /* the replica would have to write */
	DB_UNFIT_FAILS /* a statement has failed */
};

/* Returns what the replica could not do since the last call, and forgets it. */
enum db_unfit db_take_unfit(struct db *replica);

/*
 * Checks that libpq can parse the connection string.  -1: 500; `detail` does not quote libpq's error, which
 * may have the password.
 */
int db_check_conninfo(const char *, struct err *) __attribute__((warn_unused_result));

/*
 * Prints a connection string or URL.  One that has a password, or another secret, is printed as
 * `keyword=value` pairs, in libpq's order, with **** for the secrets; as **** alone, where libpq cannot
 * parse it.
 */
void db_print_conninfo(FILE *, const char *conninfo);

/* The system user as whom a process of root connects (db_peer.h), or -1: as itself. */
uid_t db_peer_user(const char *conninfo);

/*
 * For a program that gets a connection string as an argument, which others can see: the string without its
 * password, and the password, NULL if there is none.  Other secrets are masked: the program cannot use them.
 */
const char *db_conninfo_split(struct arena *, const char *conninfo, const char **password);

/*
 * Does the schema fit this program?  A newer one fits if its floor allows this program
 * (store/migrate/migrate.h).  An older one, or none, fits after `berth migrate`.
 */
enum db_schema {
	DB_SCHEMA_UNKNOWN, /* not read yet */
	DB_SCHEMA_FITS,
	/* the schemas from here on do not fit */
	DB_SCHEMA_NOT_UTF8, /* the database has another encoding; not even `berth migrate` helps */
	DB_SCHEMA_MISSING, /* no schema, or one that the role may not read */
	DB_SCHEMA_OLD,
	DB_SCHEMA_NEW
};

/*
 * Connects and prepares the statements, unless there is a connection.  -1: 503 the database is away, its
 * schema or encoding does not fit, or a connection pooler that shares sessions stands between; all of these
 * may end.  500: a statement cannot be prepared although the schema fits; that does not end, and db_fatal()
 * is true.  It reads a schema that does not fit again after a second; until then it gives the same error
 * at once.
 */
int db_connect(struct db *, struct err *) __attribute__((warn_unused_result));
bool db_fatal(const struct db *);
/* The schema that the last attempt to connect has found. */
enum db_schema db_schema(const struct db *);
/* The newest migration that was applied, and the floor of all, as the last attempt has found them. */
enum db_schema db_schema_of(int64_t version, int64_t floor);

/* Is there a connection pooler, which shares this session or may begin to? */
bool db_is_pooled(const struct db *);

/*
 * For programs that only check the connection, or connect in another way.  0: the connection string leads
 * to sessions of our own in a database whose encoding is UTF8, or the database is away.  -1: 503 it has
 * another encoding, or the connection leads through a pooler that shares sessions, or whose mode is unknown.
 */
int db_check_server(const char *conninfo, struct err *) __attribute__((warn_unused_result));
/* Drops the session; the next use opens a new one. */
void db_disconnect(struct db *);
/* The number of hosts that a handle tries by itself, one after the other; 1 if it does not. */
size_t db_nhosts(const struct db *);
/* Drops the session; of several hosts, the next use tries another one first. */
void db_leave(struct db *);
/* The connection's descriptor, or -1. */
int db_fd(const struct db *);
/* Something happened while idle: reads it; drops a connection that has ended. */
void db_idle_event(struct db *);
/*
 * The same for a caller that is about to use the connection: it looks for events if the connection was not
 * used for a while.  The caller must not need any state of the session.
 */
void db_look(struct db *);
/*
 * True: a notification has arrived since the last call.  Notifications are lost while there is no
 * connection, and a new connection listens for nothing: db_connections() counts all connections that this
 * handle has made.
 */
bool db_notified(struct db *);
uint64_t db_connections(const struct db *);

/*
 * Takes the payload of the next notification, cut to fit.  False: there is none, or the connection has
 * ended.
 */
bool db_notification(struct db *, char *payload, size_t size);

/*
 * Names the request that the next statements are for, by its id: PostgreSQL gets it with the first of
 * them, as the end of application_name.  Borrows it until the next call.  NULL: none; the session keeps
 * the name until the next request.
 */
void db_set_request(struct db *, const char *id);

/* No wait goes past this moment of clock_us(); 0: only timeout_ms counts. */
void db_set_deadline(struct db *, int64_t us);

/*
 * How long a caller waits for a database that is away: it restarts, fails over, or only reads until it
 * is promoted.  Meanwhile connecting, statements that only read, and whole transactions whose COMMIT
 * was not sent are tried again.  `go_on` is asked between two attempts; false ends the wait.
 */
struct db_patience {
	int64_t until_us; /* of clock_us() */
	bool (*go_on)(void *arg);
	void *arg;
};

/* Sets the patience from here on; borrows it.  NULL, as at first: none, and the first error counts. */
void db_set_patience(struct db *, const struct db_patience *);

/*
 * Call it after a statement has failed.  If the database is away and the caller's patience is not over, it
 * waits a moment and returns true: the caller may try again what can be done twice.  Do not call it inside
 * a transaction.
 */
bool db_try_again(struct db *);

/* Microseconds spent waiting for the database since the last call of this. */
int64_t db_take_us(struct db *);

/*
 * Runs one statement, inside the open transaction or as its own.  A connection that
 * turns out dead is an error like any other; outside a transaction, what only reads is sent again to
 * another one where the caller has patience.
 * params NULL: it has none; result NULL: nobody wants it.
 */
int db_exec(struct db *, struct arena *, enum stmt, const struct db_params *, struct db_result *,
    struct err *) __attribute__((warn_unused_result));

/*
 * Runs n statements in one round trip (pipeline mode), in one implicit
 * transaction; outside a transaction they only read, or do what may be done twice and no other node has to
 * hear of.  A call with a row function is late when a row takes longer than timeout_ms; the server's
 * statement_timeout and the deadline bound the time of all its rows.
 */
int db_run(struct db *, struct arena *, struct db_call *, size_t n, struct err *)
    __attribute__((warn_unused_result));

/*
 * Begins a list that may have more rows than fit into memory: the statement declares the cursor `listing`
 * WITH HOLD, and ends the list before it.  The server stores the rows, and has ten minutes more than
 * timeout_ms to do so.  While the caller prints them, maybe into a pager, the session has no snapshot and no
 * lock.
 */
int db_list(struct db *, struct arena *, enum stmt, const struct db_params *, struct err *)
    __attribute__((warn_unused_result));

/* The next rows of that list, a few hundred; none at its end.  -1: 503, 500 if the session was lost since. */
int db_list_next(struct db *, struct arena *, struct db_result *, struct err *)
    __attribute__((warn_unused_result));

/* As db_run(), of the first call and n others behind it. */
int db_run_beside(struct db *, struct arena *, struct db_call *first, struct db_call *others, size_t n,
    struct err *) __attribute__((warn_unused_result));

/*
 * Runs `body` between BEGIN and COMMIT.  body: 0 commits, -1 rolls back.  A
 * deadlock or serialization failure runs it again, three times at most, and so does the patience of
 * db_set_patience() after a connection was lost before COMMIT: it
 * must not do what cannot be done twice.  -1 with err; where the answer to
 * COMMIT was lost, err is 503 and *unknown is set: whether it happened can
 * only be found by looking.
 *
 * Inside another transaction's body it runs `body` in that transaction, so that functions with a
 * transaction each can be combined.  Do not nest transactions under a guard: one inner function whose
 * change is already done would let all pass.
 */
int db_transaction(struct db *, int (*body)(struct db *, void *, struct err *), void *arg,
    bool *unknown, struct err *) __attribute__((warn_unused_result));

/*
 * A condition that must still hold when a transaction has written everything and waits for no more
 * locks.  The pool asks whether the caller, who was let in before, still has the right.  `call` runs
 * then, in the transaction, as a statement of its own, and `judge` reads the answer.  -1: rolled back.
 */
struct db_guard {
	struct arena *arena;
	void (*call)(void *arg, struct db_call *);
	int (*judge)(void *arg, const struct db_call *, struct err *);
	void *arg;
};

/* Sets the guard of all transactions from here on; borrows it.  NULL: none. */
void db_set_guard(struct db *, const struct db_guard *);

/*
 * As db_run(), for the last statements of a transaction: the guard's statement runs after them in the
 * same round trip.
 */
int db_run_last(struct db *, struct arena *, struct db_call *, size_t n, struct err *)
    __attribute__((warn_unused_result));

/*
 * Calls run(arg) once in the next round trip, after its statements are sent and before the answers are read.
 * If the round trip fails before that, `run` is dropped.
 */
void db_set_meanwhile(struct db *, void (*run)(void *arg), void *arg);

/*
 * Call it in a transaction before a change that may take the caller's own right away.  It asks the guard
 * now, and not again at the end.
 */
int db_guard_first(struct db *, struct err *) __attribute__((warn_unused_result));

/*
 * A statement that goes out with each COMMIT, in the same round trip, and runs after it as a transaction of
 * its own.  If the transaction has committed and the statement has no answer, db_take_commit() says
 * `unknown`.  NULL: none.
 */
void db_set_follow_up(struct db *, void (*call)(void *arg, struct db_call *), void *arg);

/*
 * True: a transaction has committed since the last call.  *unknown: one has committed, or may have, in a
 * session that was lost or before a follow-up that failed.
 */
bool db_take_commit(struct db *, bool *unknown);

/*
 * Call it when the database already has the wanted state.  Another session may have written that state just
 * now, so this caller has to wait for the nodes as that writer does: db_take_commit() then returns
 * `unknown`.
 */
void db_found_done(struct db *);

/* True while no transaction is open. */
bool db_is_idle(const struct db *);

/* Typed access to a row; the SQL type is asserted by its length. */
bool db_is_null(const struct db_result *, int row, int column);
int64_t db_int(const struct db_result *, int row, int column); /* int2, int4, int8 */
int64_t db_int_or_0(const struct db_result *, int row, int column); /* 0 for null: an id, or a count */
bool db_bool(const struct db_result *, int row, int column);
/* extract(epoch FROM t)::bigint: seconds since 1970; 0 for null */
int64_t db_time(const struct db_result *, int row, int column);
/* text and bytea, borrowed until the arena is reset; NULs cannot occur in text */
struct slice db_slice(const struct db_result *, int row, int column);
const char *db_str(const struct db_result *, int row, int column); /* NULL for null */

#endif
