#include "store/package/version_lock.h"

#include "store/package/protection.h"

static int
not_found(struct err *err)
{
	return err_set(err, 404, "Package Not Found");
}

static int
lock_crate(struct db *db, struct arena *a, const struct version_change *c, struct version_locked *out,
    struct err *err)
{
	enum { COLUMNS_VERSION_LOCK_CRATE };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, c->project_id);
	db_bind_int(&p, c->version_id);
	if (db_exec(db, a, STMT_VERSION_LOCK_CRATE, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return not_found(err);
	out->crate_id = db_int(&r, 0, ID);
	out->name = db_str(&r, 0, NAME);
	out->normalized_name = db_str(&r, 0, NORMALIZED_NAME);
	out->crate_empty = db_bool(&r, 0, IS_EMPTY);
	return 0;
}

int
version_lock(struct db *db, struct arena *a, const struct version_change *c, bool deleted,
    struct version_locked *out, struct err *err)
{
	enum { COLUMNS_VERSION_LOCK };
	struct db_call calls[] = { { .stmt = STMT_VERSION_LOCK }, { 0 } };
	const struct db_result *r = &calls[0].result;

	if ((out->crate_id == 0 && lock_crate(db, a, c, out, err) == -1) ||
	    token_limits_check_crate(&c->limits, out->name, err) == -1)
		return -1;
	db_bind_int(&calls[0].params, c->version_id);
	protection_delete_call(&calls[1], c->project_id, out->normalized_name, c->delete_level);
	if (db_run(db, a, calls, 2, err) == -1)
		return -1;
	if (r->rows == 0 || db_bool(r, 0, DELETED) != deleted) {
		db_found_done(db);
		return not_found(err);
	}
	out->version = db_str(r, 0, VERSION);
	out->version_base = db_str(r, 0, VERSION_BASE);
	out->cksum = db_str(r, 0, CKSUM);
	out->size = db_int(r, 0, SIZE);
	out->status = db_str(r, 0, STATUS);
	out->message = db_str(r, 0, MESSAGE);
	return protection_judge(&calls[1], err);
}
