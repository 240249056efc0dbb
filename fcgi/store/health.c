#include "store/health.h"

#include "store/db/migrations.h"

void
health_look(struct db *db, struct arena *a, struct health *health, struct err *err)
{
	enum { COLUMNS_HEALTH_LOOK };
	struct db_result r;

	*health = (struct health) { .schema = DB_SCHEMA_UNKNOWN };
	if (db_connect(db, err) == -1 || db_exec(db, a, STMT_HEALTH_LOOK, NULL, &r, err) == -1) {
		/* it answers, with nothing that this program could work with: the schema is to blame */
		if (db_schema(db) > DB_SCHEMA_FITS)
			health->schema = db_schema(db);
		health->reachable = health->writable =
		    db_fatal(db) || health->schema != DB_SCHEMA_UNKNOWN;
		return;
	}
	health->reachable = true;
	health->writable = !db_bool(&r, 0, READ_ONLY);
	health->schema = db_schema_of(db_int(&r, 0, VERSION), db_int(&r, 0, FLOOR));
}

int
health_blobs(struct db *db, struct arena *a, int64_t *n, int64_t *bytes, struct err *err)
{
	enum { COLUMNS_HEALTH_BLOBS };
	struct db_result r;

	if (db_exec(db, a, STMT_HEALTH_BLOBS, NULL, &r, err) == -1)
		return -1;
	*n = db_int(&r, 0, COUNT);
	*bytes = db_int(&r, 0, BYTES);
	return 0;
}

int
health_search(struct db *db, struct arena *a, int64_t *late_s, struct err *err)
{
	enum { COLUMNS_HEALTH_SEARCH };
	struct db_result r;

	if (db_exec(db, a, STMT_HEALTH_SEARCH, NULL, &r, err) == -1)
		return -1;
	*late_s = db_int(&r, 0, LATE);
	return 0;
}

int
health_certificate(struct db *db, struct arena *a, const char *node, int64_t *expires_at, struct err *err)
{
	enum { COLUMNS_HEALTH_CERTIFICATE };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, node);
	if (db_exec(db, a, STMT_HEALTH_CERTIFICATE, &p, &r, err) == -1)
		return -1;
	*expires_at = r.rows > 0 ? db_time(&r, 0, EXPIRES_AT) : 0;
	return 0;
}

int
health_note_certificate(struct db *db, struct arena *a, const char *node, int64_t expires_at, struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, node);
	db_bind_id(&p, expires_at);
	return db_exec(db, a, STMT_HEALTH_NOTE_CERTIFICATE, &p, NULL, err);
}

int
health_check(struct db *db, struct arena *a, struct health_check *check, struct err *err)
{
	enum { COLUMNS_HEALTH_CHECK };
	struct db_result r;

	if (db_exec(db, a, STMT_HEALTH_CHECK, NULL, &r, err) == -1)
		return -1;
	*check = (struct health_check) { db_int(&r, 0, PROBLEMS), db_time(&r, 0, CHECKED_AT),
		db_int(&r, 0, DAMAGED) };
	return 0;
}

int
health_tasks(struct db *db, struct arena *a, struct health_tasks **out, size_t *n, struct err *err)
{
	enum { COLUMNS_HEALTH_TASKS };
	struct db_result r;

	if (db_exec(db, a, STMT_HEALTH_TASKS, NULL, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++) {
		(*out)[i] = (struct health_tasks) {
			.kind = db_str(&r, i, KIND),
			.node = db_str(&r, i, NODE),
			.running = db_int(&r, i, RUNNING),
			.waiting = db_int(&r, i, WAITING),
			.failing = db_int(&r, i, FAILING),
			.dead = db_int(&r, i, DEAD),
			.late_s = db_int(&r, i, LATE),
			.done_at = db_time(&r, i, DONE_AT),
		};
	}
	return 0;
}

int
health_server(struct db *db, struct arena *a, struct health_server *server, struct err *err)
{
	enum { COLUMNS_HEALTH_SERVER };
	struct db_result r;

	if (db_exec(db, a, STMT_HEALTH_SERVER, NULL, &r, err) == -1)
		return -1;
	*server = (struct health_server) {
		.now_ms = db_int(&r, 0, NOW_MS),
		.local = db_bool(&r, 0, IS_LOCAL),
		.directory = db_str(&r, 0, DIRECTORY),
	};
	return 0;
}

int
health_programs(struct db *db, struct arena *a, int64_t *sessions, const char **programs, struct err *err)
{
	enum { COLUMNS_HEALTH_PROGRAMS };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, migrations_newest());
	if (db_exec(db, a, STMT_HEALTH_PROGRAMS, &p, &r, err) == -1)
		return -1;
	*sessions = db_int(&r, 0, SESSIONS);
	*programs = db_str(&r, 0, PROGRAMS);
	return 0;
}

/* sql/grants.sql, line by line. */
static const char *const grant_lines[] = {
#include "store/grants.inc"
};

int
health_rights(struct db *db, struct arena *a, struct health_rights *rights, struct err *err)
{
	enum { COLUMNS_HEALTH_RIGHTS };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_array(&p, a, grant_lines, sizeof(grant_lines) / sizeof(*grant_lines));
	if (db_exec(db, a, STMT_HEALTH_RIGHTS, &p, &r, err) == -1)
		return -1;
	*rights = (struct health_rights) { .lacking = db_int(&r, 0, LACKING),
		.first = db_str(&r, 0, FIRST),
		.role = db_str(&r, 0, ROLE) };
	return 0;
}

int
health_lock(struct db *db, struct arena *a, bool *any, struct health_lock *lock, struct err *err)
{
	enum { COLUMNS_HEALTH_LOCKS };
	struct db_result r;

	if (db_exec(db, a, STMT_HEALTH_LOCKS, NULL, &r, err) == -1)
		return -1;
	*any = r.rows > 0;
	if (*any)
		*lock = (struct health_lock) { .holder = db_int(&r, 0, PID) == 0 ? HOLDER_PREPARED
			    : db_bool(&r, 0, VACUUM) ? HOLDER_VACUUM : HOLDER_SESSION,
			.pid = db_int(&r, 0, PID),
			.role = db_str(&r, 0, ROLE),
			.program = db_str(&r, 0, PROGRAM),
			.gid = db_str(&r, 0, GID),
			.sessions = db_int(&r, 0, SESSIONS),
			.age_s = db_int(&r, 0, AGE) };
	return 0;
}

int
health_worker(struct db *db, struct arena *a, const char *node, int64_t *age_s, const char **failing,
    struct err *err)
{
	enum { COLUMNS_HEALTH_WORKER };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, node);
	if (db_exec(db, a, STMT_HEALTH_WORKER, &p, &r, err) == -1)
		return -1;
	*age_s = db_is_null(&r, 0, AGE) ? -1 : db_int(&r, 0, AGE);
	*failing = db_str(&r, 0, FAILING);
	return 0;
}
