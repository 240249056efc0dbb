#include "store/namespace_entry.h"

static int64_t
id_or_0(const struct db_result *r, int row, int column)
{
	return db_is_null(r, row, column) ? 0 : db_int(r, row, column);
}

int
project_entries(struct db *db, struct arena *a, const int64_t *ids, size_t n,
    struct project_entry **out, size_t *nfound, struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_ids(&p, a, ids, n);
	if (db_exec(db, a, STMT_PROJECT_ENTRIES, &p, &r, err) == -1)
		return -1;
	*nfound = (size_t)r.rows;
	*out = arena_calloc(a, *nfound, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct project_entry) {
			.id = db_int(&r, i, 0),
			.path = db_str(&r, i, 1),
			.full_path = db_str(&r, i, 2),
			.visibility = db_str(&r, i, 3),
			.packages_enabled = db_bool(&r, i, 4),
			.public_packages = db_bool(&r, i, 5),
			.created_at = db_str(&r, i, 6),
			.group = {
				.id = db_int(&r, i, 7),
				.path = db_str(&r, i, 8),
				.full_path = db_str(&r, i, 9),
				.parent_id = id_or_0(&r, i, 10),
			},
			.anonymous_networks = db_str(&r, i, 11),
		};
	return 0;
}

int
group_entries(struct db *db, struct arena *a, const int64_t *ids, size_t n,
    struct group_entry **out, size_t *nfound, struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_ids(&p, a, ids, n);
	if (db_exec(db, a, STMT_GROUP_ENTRIES, &p, &r, err) == -1)
		return -1;
	*nfound = (size_t)r.rows;
	*out = arena_calloc(a, *nfound, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct group_entry) {
			.id = db_int(&r, i, 0),
			.path = db_str(&r, i, 1),
			.full_path = db_str(&r, i, 2),
			.parent_id = id_or_0(&r, i, 3),
			.created_at = db_str(&r, i, 4),
			.anonymous_networks = db_str(&r, i, 5),
		};
	return 0;
}

int
user_entry(struct db *db, struct arena *a, int64_t id, struct user_entry *out, struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, id);
	if (db_exec(db, a, STMT_USER_ENTRY, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 404, "User Not Found");
	*out = (struct user_entry) {
		.id = db_int(&r, 0, 0),
		.username = db_str(&r, 0, 1),
		.name = db_str(&r, 0, 2),
		.email = db_str(&r, 0, 3),
		.admin = db_bool(&r, 0, 4),
		.state = db_str(&r, 0, 5),
		.created_at = db_str(&r, 0, 6),
	};
	return 0;
}
