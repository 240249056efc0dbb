#include "store/package/crate.h"

#include "crate/crate_name.h"

void
crate_index_call(struct db_call *call, struct arena *a, int64_t project_id,
    const char *lower_name, bool any, const char *const *etags, size_t netags)
{
	call->stmt = STMT_CRATE_INDEX;
	db_bind_int(&call->params, project_id);
	db_bind_str(&call->params, crate_name_normalize(a, slice_str(lower_name)));
	db_bind_str(&call->params, lower_name);
	if (netags > 0)
		db_bind_array(&call->params, a, etags, netags);
	else
		db_bind_null(&call->params);
	db_bind_bool(&call->params, any);
}

void
crate_index_read(const struct db_call *call, struct crate_index *index)
{
	enum { COLUMNS_CRATE_INDEX };
	const struct db_result *r = &call->result;

	*index = (struct crate_index) { .found = r->rows == 1 };
	if (!index->found)
		return;
	index->time = db_int(r, 0, TIME);
	index->length = db_int(r, 0, LENGTH);
	/* the statement returns no body that the client has already */
	index->unchanged = db_is_null(r, 0, BODY);
	if (!index->unchanged)
		index->body = db_slice(r, 0, BODY);
}

void
crate_lock_call(struct db_call *call, int64_t project_id, const char *name,
    const char *normalized_name)
{
	call->stmt = STMT_CRATE_LOCK;
	db_bind_int(&call->params, project_id);
	db_bind_str(&call->params, name);
	db_bind_str(&call->params, normalized_name);
}

int64_t
crate_lock_read(const struct db_call *call)
{
	enum { COLUMNS_CRATE_LOCK };

	return db_int(&call->result, 0, ID);
}

int
crate_find_locked(struct db *db, struct arena *a, int64_t project_id, const char *name,
    const char *normalized_name, int64_t *id, const char **stored_name, struct err *err)
{
	enum { COLUMNS_CRATE_FIND_LOCKED };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, project_id);
	db_bind_str(&p, normalized_name);
	if (db_exec(db, a, STMT_CRATE_FIND_LOCKED, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 404, "crate `%s` does not exist", name);
	*id = db_int(&r, 0, ID);
	*stored_name = db_str(&r, 0, NAME);
	return 0;
}
