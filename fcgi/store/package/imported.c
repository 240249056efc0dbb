#include "store/package/imported.h"

int
imported_replan(struct db *db, struct arena *a, struct err *err)
{
	struct db_call call = { .stmt = STMT_IMPORTED_REPLAN };

	return db_run(db, a, &call, 1, err);
}

int
imported_downloads(struct db *db, struct arena *a, int64_t project_id, const char *normalized_name,
    const char *const *versions, const char *const *numbers, size_t n, size_t *changed, struct err *err)
{
	struct db_call call = { .stmt = STMT_IMPORTED_DOWNLOADS };

	db_bind_int(&call.params, project_id);
	db_bind_str(&call.params, normalized_name);
	db_bind_array(&call.params, a, versions, n);
	db_bind_array(&call.params, a, numbers, n);
	if (db_run(db, a, &call, 1, err) == -1)
		return -1;
	*changed = (size_t)call.result.affected;
	return 0;
}

int
imported_owners(struct db *db, struct arena *a, int64_t project_id, const char *normalized_name,
    const struct strings *usernames, struct imported_owner **out, size_t *n, struct err *err)
{
	enum { COLUMNS_IMPORTED_OWNERS };
	struct db_call call = { .stmt = STMT_IMPORTED_OWNERS };
	const struct db_result *r = &call.result;

	db_bind_int(&call.params, project_id);
	db_bind_str(&call.params, normalized_name);
	db_bind_array(&call.params, a, usernames->v, usernames->n);
	if (db_run(db, a, &call, 1, err) == -1)
		return -1;
	*n = (size_t)r->rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r->rows; i++)
		(*out)[i] = (struct imported_owner) { db_str(r, i, NAME), db_bool(r, i, ACTIVE) };
	return 0;
}
