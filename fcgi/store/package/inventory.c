#include "store/package/inventory.h"

int
inventory_versions(struct db *db, struct arena *a, int64_t project_id, const char *normalized_name,
    struct inventory_version **out, size_t *n, struct err *err)
{
	enum { COLUMNS_INVENTORY_VERSIONS };
	struct db_call call = { .stmt = STMT_INVENTORY_VERSIONS };
	const struct db_result *r = &call.result;

	db_bind_int(&call.params, project_id);
	db_bind_str(&call.params, normalized_name);
	if (db_run(db, a, &call, 1, err) == -1)
		return -1;
	*n = (size_t)r->rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r->rows; i++) {
		(*out)[i] = (struct inventory_version) { db_str(r, i, VERSION_BASE), db_str(r, i, CKSUM),
			db_bool(r, i, YANKED) };
	}
	return 0;
}

int
inventory_unresolved(struct db *db, struct arena *a, int64_t project_id, struct strings *names,
    struct err *err)
{
	enum { COLUMNS_INVENTORY_UNRESOLVED };
	struct db_call call = { .stmt = STMT_INVENTORY_UNRESOLVED };
	const struct db_result *r = &call.result;

	db_bind_int(&call.params, project_id);
	if (db_run(db, a, &call, 1, err) == -1)
		return -1;
	names->n = (size_t)r->rows;
	names->v = arena_calloc(a, names->n, sizeof(*names->v));
	for (int i = 0; i < r->rows; i++)
		names->v[i] = db_str(r, i, NAME);
	return 0;
}

struct index_rows {
	inventory_index_fn *take;
	void *arg;
};

static int
take_row(void *arg, const struct db_result *row, struct err *err)
{
	enum { COLUMNS_INVENTORY_INDEXES };
	const struct index_rows *rows = arg;

	return rows->take(rows->arg, db_str(row, 0, NAME), db_slice(row, 0, INDEX_BODY), err);
}

int
inventory_indexes(struct db *db, struct arena *a, int64_t project_id, inventory_index_fn *take, void *arg,
    struct err *err)
{
	enum { PATIENCE, INDEXES, NCALLS };
	struct index_rows rows = { take, arg };
	struct db_call calls[NCALLS] = {
		[PATIENCE] = { .stmt = STMT_SESSION_LIFT_TIMEOUT },
		[INDEXES] = { .stmt = STMT_INVENTORY_INDEXES, .row = take_row, .arg = &rows },
	};

	db_bind_int(&calls[INDEXES].params, project_id);
	return db_run(db, a, calls, NCALLS, err);
}
