#include "store/blob/store_mark.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/fault.h"
#include "store/blob/blob.h"
#include "store/blob/store_file.h"
#include "store/blob/store_identity.h"

enum { PERCENT = 100 };

struct mark {
	struct arena *arena;
	const struct blob_store *store;
	int64_t keep;
	bool move; /* as asked, and then: it is time for a new mark */
	struct store_leave leave;
};

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* With the row locked.  The store may have the next mark already: a collection died between file and row. */
static int
compare(const struct mark *m, const char *mark, const char *next, struct err *err)
{
	char line[REGISTRY_ID_SIZE + 1];
	int found = store_file_read(m->store, STORE_MARK_FILE, line, sizeof(line), err);

	if (found == -1)
		return -1;
	if (found == 0 ? mark == NULL : same(line, mark) || same(line, next))
		return 0;
	return err_set(err, 409, "store %s: its " STORE_MARK_FILE " differs from the database's mark; store or "
	    "database is an older copy, as after a restore, and nothing is removed; check with `berth store "
	    "adopt --dry-run`, then run `berth store adopt`", m->store->name);
}

static int
lock(struct db *db, struct mark *m, const char **next, struct err *err)
{
	enum { COLUMNS_STORE_LOCK };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, m->keep);
	if (db_exec(db, m->arena, STMT_STORE_LOCK, &p, &r, err) == -1)
		return -1;
	*next = db_str(&r, 0, NEXT_MARK);
	m->move = m->move && (db_bool(&r, 0, MOVE_DUE) || *next != NULL);
	m->leave = (struct store_leave) { db_int(&r, 0, WAIT), db_int(&r, 0, CONFIRMED) };
	if (compare(m, db_str(&r, 0, MARK), *next, err) == -1)
		return -1;
	if (db_bool(&r, 0, RESTORED))
		return err_set(err, 409, "store %s: the database was restored from a dump and may lack blobs of the "
		    "store, and nothing is removed; check with `berth store adopt --dry-run`, then run `berth "
		    "store adopt`", m->store->name);
	return 0;
}

static int
announce_body(struct db *db, void *arg, struct err *err)
{
	struct mark *m = arg;
	const char *next;

	if (m->move && db_exec(db, m->arena, STMT_STORE_BEGIN, NULL, NULL, err) == -1)
		return -1;
	if (lock(db, m, &next, err) == -1)
		return -1;
	return m->move ? db_exec(db, m->arena, STMT_STORE_NEXT_MARK, NULL, NULL, err) : 0;
}

/* The database has the announced mark already, so the two still fit after a crash between file and row. */
static int
move_body(struct db *db, void *arg, struct err *err)
{
	struct mark *m = arg;
	const char *next;

	if (lock(db, m, &next, err) == -1)
		return -1;
	if (next == NULL) /* another collection was faster */
		return 0;
	if (store_file_write(m->store, STORE_MARK_FILE, next, true, err) == -1)
		return -1;
	FAULT_POINT("mark", "written");
	return db_exec(db, m->arena, STMT_STORE_MOVE_MARK, NULL, NULL, err);
}

int
store_mark_check(struct db *db, struct arena *a, const struct blob_store *store, int64_t keep, bool begin,
    struct store_leave *leave, struct err *err)
{
	struct mark m = { .arena = a, .store = store, .keep = keep, .move = begin };
	bool unknown;

	if (db_transaction(db, announce_body, &m, &unknown, err) == -1)
		return -1;
	FAULT_POINT("mark", "announced");
	if (m.move && db_transaction(db, move_body, &m, &unknown, err) == -1)
		return -1;
	*leave = m.leave;
	return 0;
}

int64_t
store_take_max(int64_t files)
{
	int64_t part = files * STORE_TAKE_PERCENT / PERCENT;

	return part > STORE_TAKE_MIN ? part : STORE_TAKE_MIN;
}

int
store_hold(struct db *db, struct arena *a, int64_t due, int64_t files, struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_id(&p, due);
	db_bind_id(&p, due == 0 ? 0 : files);
	return db_exec(db, a, STMT_STORE_HOLD, &p, NULL, err);
}

struct confirm {
	struct arena *arena;
	const struct audit_actor *actor;
	int64_t files;
};

static int
confirm_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_STORE_CONFIRM };
	struct confirm *c = arg;
	struct audit_event event = { .action = AUDIT_STORE_CONFIRM };
	struct db_result r;

	if (db_exec(db, c->arena, STMT_STORE_CONFIRM, NULL, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 409, "no collection is waiting for confirmation");
	c->files = db_int(&r, 0, HELD_FILES);
	event.facts[0] = audit_fact_int(c->arena, "files", c->files);
	return audit_add(db, c->arena, c->actor, &event, err);
}

int
store_confirm(struct db *db, struct arena *a, const struct audit_actor *actor, int64_t *files,
    struct err *err)
{
	struct confirm c = { a, actor, 0 };
	bool unknown;
	int rc = db_transaction(db, confirm_body, &c, &unknown, err);

	*files = c.files;
	return rc;
}

struct adopt {
	struct arena *arena;
	const struct audit_actor *actor;
	const struct blob_store *store;
	const char *registry, *was;
};

/* Files first: if the transaction fails, the marks differ, and nothing is collected. */
static int
adopt_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_STORE_NEXT_MARK };
	const struct adopt *ad = arg;
	struct audit_event event = { .action = AUDIT_STORE_ADOPT, .facts = {
		{ "registry", ad->registry, false }, { "was", ad->was, false } } };
	struct db_params p = { .n = 0 };
	struct db_result r;
	const char *mark;

	if (db_exec(db, ad->arena, STMT_STORE_NEXT_MARK, NULL, &r, err) == -1)
		return -1;
	mark = db_str(&r, 0, NEXT_MARK);
	if (store_file_write(ad->store, STORE_MARK_FILE, mark, true, err) == -1 ||
	    store_file_write(ad->store, STORE_ID_FILE, ad->registry, true, err) == -1)
		return -1;
	db_bind_str(&p, mark);
	if (db_exec(db, ad->arena, STMT_STORE_ADOPT, &p, NULL, err) == -1)
		return -1;
	return audit_add(db, ad->arena, ad->actor, &event, err);
}

int
store_adopt(struct db *db, struct arena *a, const struct audit_actor *actor, const struct blob_store *store,
    const char *registry, const char *was, struct err *err)
{
	struct adopt ad = { a, actor, store, registry, was };
	bool unknown;

	return db_transaction(db, adopt_body, &ad, &unknown, err);
}

int
store_status_read(struct db *db, struct arena *a, struct store_status *s, struct err *err)
{
	enum { COLUMNS_STORE_SHOW };
	struct db_result r;

	if (db_exec(db, a, STMT_STORE_SHOW, NULL, &r, err) == -1)
		return -1;
	if (r.rows != 1)
		return err_internal(err, 500, "database: the tables registry and store_state must have one row each");
	*s = (struct store_status) {
		.registry = db_str(&r, 0, REGISTRY),
		.adopted_at = db_time(&r, 0, ADOPTED_AT),
		.mark = db_str(&r, 0, MARK),
		.next_mark = db_str(&r, 0, NEXT_MARK),
		.held_at = db_time(&r, 0, HELD_AT),
		.held_files = db_int(&r, 0, HELD_FILES),
		.held_of = db_int(&r, 0, HELD_OF),
		.confirmed_at = db_time(&r, 0, CONFIRMED_AT),
		.restored = db_bool(&r, 0, RESTORED),
	};
	return 0;
}
