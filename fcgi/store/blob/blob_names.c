#include "store/blob/blob_names.h"

#include <assert.h>

bool
blob_names_full(const struct blob_names *names)
{
	return names->n == BLOB_NAMES_MAX;
}

void
blob_names_add(struct blob_names *names, struct arena *a, const char *name)
{
	assert(!blob_names_full(names));
	names->v[names->n++] = arena_strdup(a, name);
}

static int
keep(struct db *db, struct arena *a, enum stmt stmt, struct blob_names *names, struct err *err)
{
	enum { COLUMNS_BLOB_UNKNOWN };
	struct db_params p = { .n = 0 };
	struct db_result r;

	if (names->n == 0)
		return 0;
	db_bind_array(&p, a, names->v, names->n);
	if (db_exec(db, a, stmt, &p, &r, err) == -1)
		return -1;
	names->n = (size_t)r.rows;
	for (int i = 0; i < r.rows; i++)
		names->v[i] = db_str(&r, i, NAME);
	return 0;
}

int
blob_names_keep_unknown(struct db *db, struct arena *a, struct blob_names *names, struct err *err)
{
	return keep(db, a, STMT_BLOB_UNKNOWN, names, err);
}

int
blob_names_keep_used(struct db *db, struct arena *a, struct blob_names *names, struct err *err)
{
	return keep(db, a, STMT_STORE_USED, names, err);
}
