/*
 * The door to PostgreSQL, with a real server: t/run starts it and says where.
 * What only a broken server does is provoked by a second connection, or by
 * triggers.
 */

#include "store/db/db.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "own_database.h"
#include "store/db/db_conn.h"
#include "tap.h"

enum { TIMEOUT_MS = 10000 };

static struct err err;

/* Ends every connection but ours, as a restart of the server does. */
static void
end_connections(void)
{
	sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
	    " WHERE datname = current_database() AND pid <> pg_backend_pid()");
}

static int
lock_group(struct db *db, const char *path)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_bind_str(&p, path);
	return db_exec(db, a, STMT_GROUP_LOCK, &p, &r, &err);
}

static int
find_user(struct db *db)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_bind_str(&p, "U");
	return db_exec(db, a, STMT_USER_FIND, &p, &r, &err) == -1 || r.rows != 1 ? -1 : 0;
}

static void
test_connect(void)
{
	struct db *db = db_new(conninfo, TIMEOUT_MS);

	is_int(db_fd(db), -1, "not connected yet");
	ok(db_is_idle(db), "idle");
	is_int(db_connect(db, &err), 0, "connects and prepares");
	ok(db_fd(db) != -1, "has a descriptor");
	ok(db_take_us(db) > 0, "it took time");
	is_int(db_take_us(db), 0, "which is counted once");
	is_int(find_user(db), 0, "runs a statement");
	ok(db_is_idle(db), "idle again");
	db_free(db);
	db_free(NULL);
}

static void
fails(const char *to, int status, bool fatal, const char *detail)
{
	struct db *db = db_new(to, 300);
	int64_t started = clock_us();

	err_clear(&err);
	is_int(db_connect(db, &err), -1, "does not connect");
	is_int(err.status, status, "status");
	is_int(db_fatal(db), fatal, "fatal or not");
	if (!ok(strstr(err.detail, detail) != NULL, "the detail has: %s", detail))
		printf("# %s\n", err.detail);
	ok(strstr(err.detail, "hush") == NULL, "it does not have the password");
	ok(clock_us() - started < 5000000, "in time");
	ok(db_fd(db) == -1 && db_is_idle(db), "and leaves nothing");
	db_free(db);
}

static void
test_connect_fails(void)
{
	char dir[] = "/tmp/berth-db-XXXXXX";
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fails("host=/tmp password='hush", 500, true, "malformed");
	fails("postgresql://u:hush@[::1", 500, true, "malformed");
	fails("host=/nonexistent password=hush", 503, false, "/nonexistent");
	fails(arena_printf(a, "%s dbname=postgres", conninfo), 503, false, "run `berth migrate`");
	fails(arena_printf(a, "%s dbname=nowhere", conninfo), 503, false, "nowhere");
	/* a server that listens and says nothing */
	if (mkdtemp(dir) == NULL)
		return;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/.s.PGSQL.5432", dir);
	ok(bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0 && listen(fd, 1) == 0,
	    "a silent server");
	fails(arena_printf(a, "host=%s port=5432 password=hush", dir), 503, false, "timed out");
	close(fd);
	unlink(un.sun_path);
	rmdir(dir);
}

static void
schema_is(enum db_schema want, const char *what)
{
	struct db *db = db_new(conninfo, TIMEOUT_MS);

	err_clear(&err);
	is_int(db_connect(db, &err), want == DB_SCHEMA_FITS ? 0 : -1, what);
	is_int(db_schema(db), want, "is known as such");
	db_free(db);
}

/* A schema that does not fit is not read with each request. */
static void
refuses_at_once(void)
{
	struct db *db = db_new(conninfo, TIMEOUT_MS);
	struct err again = { 0 };

	err_clear(&err);
	is_int(db_connect(db, &err), -1, "an old schema");
	is_str(err.pub, "the registry is being upgraded; try again in a moment", "what clients hear");
	(void)db_take_us(db);
	is_int(db_connect(db, &again), -1, "the same at once");
	is_str(again.detail, err.detail, "with the same words");
	is_int(db_take_us(db), 0, "without asking");
	db_free(db);
}

static void
test_schema(void)
{
	sql("INSERT INTO schema_migrations (version, topic, checksum) VALUES (9999, 'future', '')");
	fails(conninfo, 503, false, "version 9999");
	schema_is(DB_SCHEMA_NEW, "newer, without a floor");
	sql("UPDATE schema_migrations SET floor = 9998 WHERE version = 9999");
	schema_is(DB_SCHEMA_NEW, "newer, with a floor above this program");
	sql("UPDATE schema_migrations SET floor = 1 WHERE version = 9999");
	schema_is(DB_SCHEMA_FITS, "newer, with a floor that allows it");
	sql("DELETE FROM schema_migrations WHERE version = 9999");
	sql("CREATE TABLE kept AS SELECT * FROM schema_migrations");
	sql("DELETE FROM schema_migrations");
	fails(conninfo, 503, false, "run `berth migrate`");
	schema_is(DB_SCHEMA_OLD, "older");
	refuses_at_once();
	sql("INSERT INTO schema_migrations SELECT * FROM kept");
	sql("DROP TABLE kept");
	sql("ALTER TABLE members RENAME COLUMN access_level TO other");
	fails(conninfo, 500, true, "42703");
	sql("ALTER TABLE members RENAME COLUMN other TO access_level");
}

static void
test_values(void)
{
	static const char *const scopes[] = { "a\"b", "c\\d", "{e}", "NULL", "", "\xc3\xa9 f" };
	unsigned char digest[32] = { 0, 0xff };
	struct db *db = db_new(conninfo, TIMEOUT_MS);
	struct db_params p = { 0 }, none = { 0 };
	struct db_result r;

	db_bind_slice(&p, a, slice_of("Ux", 1));
	db_bind_bytes(&p, slice_of((const char *)digest, sizeof(digest)));
	db_bind_str(&p, "name");
	db_bind_array(&p, a, scopes, sizeof(scopes) / sizeof(*scopes));
	db_bind_time(&p, 0);
	db_bind_null(&p);
	db_bind_id(&p, 0);
	db_bind_str(&p, "");
	is_int(db_exec(db, a, STMT_TOKEN_ADD_PERSONAL, &p, &r, &err), 0, "inserts");
	is_int(r.rows, 1, "one row");
	is_int(r.affected, 1, "one affected");
	db_bind_null(&none);
	is_int(db_list(db, a, STMT_TOKEN_LIST, &none, &err), 0, "begins a list");
	is_int(db_list_next(db, a, &r, &err), 0, "reads it back");
	is_int(r.rows, 1, "one row of the list");
	is_str(db_str(&r, 0, 4), "a\"b,c\\d,{e},NULL,,\xc3\xa9 f", "elements of the array");
	is_int(db_time(&r, 0, 6), 0, "no time is 0");
	ok(db_is_null(&r, 0, 6), "and null");
	is_str(db_str(&r, 0, 6), NULL, "and no string");
	ok(db_time(&r, 0, 5) > 1700000000, "a time");
	is_int(db_slice(&r, 0, 3).n, 4, "a slice");
	ok(db_is_null(&r, 0, 10) && db_is_null(&r, 0, 11), "an id of 0 is null as well");
	is_int(db_int_or_0(&r, 0, 10), 0, "which reads as 0");
	db_free(db);
}

static void
test_errors(void)
{
	struct db *db = db_new(conninfo, TIMEOUT_MS);
	struct db_params level = { 0 }, number = { 0 };
	struct db_call calls[3] = { { .stmt = STMT_USER_FIND }, { .stmt = STMT_MEMBER_REMOVE },
		{ .stmt = STMT_USER_FIND } };
	int fd;

	db_bind_int(&level, 1);
	db_bind_int(&level, 1);
	db_bind_int(&level, 4711);
	db_bind_null(&level);
	is_int(db_exec(db, a, STMT_MEMBER_SET_GROUP, &level, NULL, &err), -1, "a constraint");
	is_int(err.status, 500, "is our mistake");
	ok(strstr(err.detail, "23514: members_access_level_check") != NULL, "named: %s",
	    err.detail);
	ok(strstr(err.detail, "member_set_group") != NULL, "with the statement");
	ok(strstr(err.detail, "4711") == NULL, "without the value");
	for (int i = 0; i < 4; i++)
		db_bind_str(&number, "secret");
	is_int(db_exec(db, a, STMT_MEMBER_SET_GROUP, &number, NULL, &err), -1, "no number");
	ok(strstr(err.detail, "22P02") != NULL && strstr(err.detail, "secret") == NULL,
	    "without the value: %s", err.detail);
	fd = db_fd(db);
	db_bind_str(&calls[0].params, "u");
	db_bind_str(&calls[2].params, "u");
	for (int i = 0; i < 3; i++)
		db_bind_str(&calls[1].params, "secret");
	is_int(db_run(db, a, calls, 3, &err), -1, "the second of three fails");
	ok(strstr(err.detail, "member_remove: 22P02") != NULL, "it is named: %s", err.detail);
	ok(db_is_idle(db), "nothing stays open");
	calls[1] = calls[2];
	is_int(db_run(db, a, calls, 2, &err), 0, "two in one round trip");
	is_int(calls[0].result.rows, 1, "rows of the first");
	is_int(calls[1].result.rows, 1, "rows of the second");
	is_int(db_fd(db), fd, "all on one connection");
	db_free(db);
}

/* ---- transactions ---- */

struct plan {
	int runs;
	bool ignore_error; /* goes on after a failed statement */
	bool fail; /* returns -1 in the end */
	bool terminate; /* the server goes away in the middle */
};

static int
add_user(struct db *db, const char *name)
{
	struct db_params p = { 0 };

	db_bind_str(&p, name);
	db_bind_str(&p, "");
	db_bind_str(&p, "");
	db_bind_bool(&p, false);
	return db_exec(db, a, STMT_USER_ADD, &p, NULL, &err);
}

static int
body(struct db *db, void *arg, struct err *e)
{
	struct plan *plan = arg;

	(void)e;
	plan->runs++;
	if (plan->ignore_error)
		(void)!add_user(db, "no name");
	else if (add_user(db, "tx") == -1)
		return -1;
	if (plan->terminate) {
		end_connections();
		return find_user(db);
	}
	return plan->fail ? err_set(&err, 409, "no") : 0;
}

static long long
count_tx(void)
{
	PGresult *res = PQexec(super, "DELETE FROM users WHERE username = 'tx'");
	long long n = strtoll(PQcmdTuples(res), NULL, 10);

	PQclear(res);
	return n;
}

static void
transaction(struct plan plan, int rc, int status, int runs, bool lost, int rows, const char *name)
{
	struct db *db = db_new(conninfo, TIMEOUT_MS);
	bool unknown;

	printf("# %s\n", name);
	err_clear(&err);
	is_int(db_transaction(db, body, &plan, &unknown, &err), rc, "outcome");
	is_int(err.status, status, "status");
	is_int(plan.runs, runs, "times that the body ran");
	is_int(unknown, lost, "is the outcome unknown");
	ok(db_is_idle(db), "no transaction is open");
	is_int(find_user(db), 0, "the handle still works");
	is_int(count_tx(), rows, "rows in the table");
	db_free(db);
}

static int
nothing(struct db *db, void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	return db_is_idle(db) ? -1 : 0;
}

static void
at_commit(const char *what)
{
	sql(arena_printf(a,
	    "CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
	    " AS $$ BEGIN %s; RETURN NULL; END $$",
	    what));
	sql("CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON users"
	    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit()");
}

static void
test_transactions(void)
{
	struct db *db = db_new(conninfo, TIMEOUT_MS);
	bool unknown;

	is_int(db_transaction(db, nothing, NULL, &unknown, &err), 0, "a body without statements");
	is_int(db_fd(db), -1, "does not even connect");
	db_free(db);
	transaction((struct plan) { 0 }, 0, 0, 1, false, 1, "commit");
	transaction((struct plan) { .fail = true }, -1, 409, 1, false, 0, "the body refuses");
	transaction(
	    (struct plan) { .ignore_error = true }, -1, 500, 1, false, 0, "it ignores an error");
	transaction(
	    (struct plan) { .terminate = true }, -1, 503, 1, false, 0, "the server goes away");
	at_commit("RAISE EXCEPTION 'again' USING ERRCODE = '40001'");
	transaction((struct plan) { 0 }, -1, 503, 3, false, 0, "serialization failures");
	sql("DROP FUNCTION at_commit CASCADE");
	at_commit("PERFORM pg_terminate_backend(pg_backend_pid())");
	transaction((struct plan) { 0 }, -1, 503, 1, true, 0, "COMMIT is not answered");
	sql("DROP FUNCTION at_commit CASCADE");
}

/* ---- lists ---- */

/* The rows that are still to come; -1 where reading them fails. */
static int
rows_left(struct db *db)
{
	struct db_result r = { .rows = 1 };
	int n = 0;

	for (; r.rows > 0; n += r.rows)
		if (db_list_next(db, a, &r, &err) == -1)
			return -1;
	return n;
}

static void
test_lists(void)
{
	struct db *db = db_new(conninfo, TIMEOUT_MS);
	int before = (int)strtol(sql("SELECT count(*) FROM users"), NULL, 10);
	struct db_result r;

	sql("INSERT INTO users (username) SELECT 'list-' || n FROM generate_series(1, 1200) n");
	is_int(db_list(db, a, STMT_USER_LIST, NULL, &err), 0, "a list of many rows");
	sql("DELETE FROM users WHERE username LIKE 'list-%'");
	is_int(rows_left(db), before + 1200, "has the rows of its beginning");
	is_int(rows_left(db), 0, "and none after its end");
	is_int(db_list(db, a, STMT_USER_LIST, NULL, &err), 0, "a list");
	is_int(db_list(db, a, STMT_USER_LIST, NULL, &err), 0, "the next one ends it");
	is_int(db_list_next(db, a, &r, &err), 0, "a list");
	is_int(r.rows, before, "has its rows alone");
	end_connections();
	is_int(rows_left(db), -1, "a session is lost in the middle");
	is_int(err.status, 503, "is 503");
	is_int(rows_left(db), -1, "the next session does not have the list");
	is_int(err.status, 500, "is 500");
	is_int(find_user(db), 0, "and does everything else");
	db_free(db);
}

/* ---- time ---- */

/* Whose lock_timeout is over soon, and whose is long after any deadline. */
static void
test_time(void)
{
	struct db *hasty = db_new(conninfo, 2000), *db = db_new(conninfo, 60000);
	int64_t started;
	uint64_t before;

	is_int(find_user(hasty), 0, "connected");
	is_int(find_user(db), 0, "connected");
	before = db_connections(db);
	sql("BEGIN");
	sql("SELECT 1 FROM groups WHERE full_path = 'a' FOR UPDATE");
	is_int(lock_group(hasty, "a"), -1, "a lock that somebody has");
	is_int(err.status, 503, "is 503");
	ok(strstr(err.detail, "55P03") != NULL, "by lock_timeout: %s", err.detail);
	db_free(hasty);
	started = clock_us();
	db_set_deadline(db, started + 100000);
	is_int(lock_group(db, "a"), -1, "a deadline before that");
	is_int(err.status, 503, "is 503");
	ok(strstr(err.detail, "57014") != NULL, "by a cancel: %s", err.detail);
	ok(clock_us() - started < 15 * 1000000, "at the deadline");
	is_int(find_user(db), -1, "after it nothing is sent");
	ok(strstr(err.detail, "past the deadline") != NULL, "and the reason said");
	db_set_deadline(db, 0);
	is_int(find_user(db), 0, "without a deadline it works again");
	is_int(db_connections(db), before + 1, "on another connection, which no late cancel can meet");
	sql("ROLLBACK");
	db_free(db);
}

static void
test_lost(void)
{
	struct db *db = db_new(conninfo, TIMEOUT_MS);
	struct pollfd p = { .events = POLLIN };

	is_int(find_user(db), 0, "connected");
	end_connections();
	is_int(find_user(db), -1, "the request that meets a lost connection fails");
	is_int(err.status, 503, "with 503");
	is_int(find_user(db), 0, "the next one connects again");
	end_connections();
	db->used_us = clock_us();
	db_look(db);
	ok(db_fd(db) != -1, "one that was just in use is not looked at");
	db->used_us -= DB_IDLE_US;
	db_look(db);
	is_int(db_fd(db), -1, "any other is before it is used");
	is_int(find_user(db), 0, "and made again");
	db->used_us -= DB_IDLE_US;
	db_look(db);
	ok(db_fd(db) != -1 && clock_us() - db->used_us < DB_IDLE_US, "one that stands is not looked at again soon");
	is_int(find_user(db), 0, "and stays");
	end_connections();
	p.fd = db_fd(db);
	for (int i = 0; i < 3 && db_fd(db) != -1; i++) {
		if (poll(&p, 1, 5000) == 1)
			db_idle_event(db);
	}
	is_int(db_fd(db), -1, "noticed while idle");
	db_idle_event(db);
	is_int(find_user(db), 0, "and connected again");
	db_free(db);
}

/* ---- deadlock: two processes lock two rows in opposite order ---- */

struct crossing {
	const char *paths[2];
	int tell, hear;
	int runs;
};

static int
cross(struct db *db, void *arg, struct err *e)
{
	struct crossing *c = arg;
	char byte = 0;

	(void)e;
	if (lock_group(db, c->paths[0]) == -1)
		return -1;
	/* the first time each waits until the other has its row */
	if (c->runs++ == 0 && (write(c->tell, &byte, 1) != 1 || read(c->hear, &byte, 1) != 1))
		return err_set(&err, 400, "pipe");
	return lock_group(db, c->paths[1]);
}

static int
run_crossing(struct crossing *c)
{
	struct db *db = db_new(conninfo, TIMEOUT_MS);
	bool unknown;
	int rc = db_transaction(db, cross, c, &unknown, &err);

	db_free(db);
	return rc;
}

static void
test_deadlock(void)
{
	int there[2], back[2], status = -1;
	pid_t pid;

	if (pipe(there) == -1 || pipe(back) == -1)
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct crossing c = { { "b", "a" }, back[1], there[0], 0 };

		/* no exit handlers: what the parent holds is not ours to free */
		_exit(run_crossing(&c) == 0 ? c.runs : 100);
	}
	{
		struct crossing c = { { "a", "b" }, there[1], back[0], 0 };

		is_int(run_crossing(&c), 0, "one comes through");
		waitpid(pid, &status, 0);
		ok(WIFEXITED(status) && WEXITSTATUS(status) != 100, "the other too");
		ok(c.runs + WEXITSTATUS(status) > 2, "one of them at another attempt");
	}
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
}

int
main(void)
{
	own_database_start("db");
	sql("INSERT INTO users (username) VALUES ('u')");
	sql("INSERT INTO groups (path, full_path, ancestor_ids)"
	    " VALUES ('a', 'a', '{1}'), ('b', 'b', '{2}')");
	test_connect();
	test_connect_fails();
	test_schema();
	test_values();
	test_errors();
	test_transactions();
	test_lists();
	test_time();
	test_lost();
	test_deadlock();
	own_database_end();
	return tap_done();
}
