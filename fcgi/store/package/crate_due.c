#include "store/package/crate_due.h"

#include "base/log.h"

/* Changes at once, in some hundredths of a second. */
enum { SOME = 50 };

/*
 * No transaction of db_transaction(): the answer of a request does not depend on this, so that no node waits
 * for it, and to do it twice does no harm.
 */
static int
update(struct db *db, struct arena *a, struct db_call calls[2], struct err *err)
{
	calls[0].stmt = STMT_CRATE_DUE_LOCK;
	return db_run(db, a, calls, 2, err);
}

int
crate_due_any(struct db *db, struct arena *a, bool *due, struct err *err)
{
	enum { COLUMNS_CRATE_DUE_ANY };
	struct db_result r;

	if (db_exec(db, a, STMT_CRATE_DUE_ANY, NULL, &r, err) == -1)
		return -1;
	*due = db_bool(&r, 0, DUE);
	return 0;
}

int
crate_due_update(struct db *db, struct arena *a, int64_t *n, struct err *err)
{
	enum { COLUMNS_CRATE_DUE_UPDATE };
	struct db_call calls[2] = { { 0 }, { .stmt = STMT_CRATE_DUE_UPDATE } };

	db_bind_int(&calls[1].params, SOME);
	if (update(db, a, calls, err) == -1)
		return -1;
	*n = db_int(&calls[1].result, 0, TAKEN);
	return 0;
}

void
crate_due_look_call(struct db_call *call, struct arena *a, const int64_t *projects, size_t n,
    const char *normalized_name)
{
	call->stmt = STMT_CRATE_DUE_LOOK;
	db_bind_ids(&call->params, a, projects, n);
	db_bind_str(&call->params, normalized_name);
}

bool
crate_due_update_looked(struct db *db, struct arena *a, const struct db_call *look)
{
	enum { COLUMNS_CRATE_DUE_LOOK };
	struct db_call calls[2] = { { 0 }, { .stmt = STMT_CRATE_DUE_UPDATE_THESE } };
	struct err err = { 0 };

	if (db_is_null(&look->result, 0, IDS) || db_defer_to_primary(db))
		return false;
	db_bind_str(&calls[1].params, db_str(&look->result, 0, IDS));
	if (update(db, a, calls, &err) == 0)
		return true;
	log_warn("a crate that somebody asks for is not brought up to date: %s", err.detail);
	return false;
}
