#include "store/namespace_entry.h"

int
project_entries(struct db *db, struct arena *a, const int64_t *ids, size_t n,
    struct project_entry **out, size_t *nfound, struct err *err)
{
	enum { COLUMNS_PROJECT_ENTRIES };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_ids(&p, a, ids, n);
	if (db_exec(db, a, STMT_PROJECT_ENTRIES, &p, &r, err) == -1)
		return -1;
	*nfound = (size_t)r.rows;
	*out = arena_calloc(a, *nfound, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct project_entry) {
			.id = db_int(&r, i, ID),
			.path = db_str(&r, i, PATH),
			.full_path = db_str(&r, i, FULL_PATH),
			.visibility = db_str(&r, i, VISIBILITY),
			.packages_enabled = db_bool(&r, i, PACKAGES_ENABLED),
			.public_packages = db_bool(&r, i, PUBLIC_PACKAGES),
			.created_at = db_str(&r, i, CREATED_AT),
			.group = {
				.id = db_int(&r, i, GROUP_ID),
				.path = db_str(&r, i, GROUP_PATH),
				.full_path = db_str(&r, i, GROUP_FULL_PATH),
				.parent_id = db_int_or_0(&r, i, PARENT_ID),
			},
			.anonymous_networks = db_str(&r, i, ANONYMOUS_NETWORKS),
			.readme_images = db_bool(&r, i, README_IMAGES),
		};
	return 0;
}

int
group_entries(struct db *db, struct arena *a, const int64_t *ids, size_t n,
    struct group_entry **out, size_t *nfound, struct err *err)
{
	enum { COLUMNS_GROUP_ENTRIES };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_ids(&p, a, ids, n);
	if (db_exec(db, a, STMT_GROUP_ENTRIES, &p, &r, err) == -1)
		return -1;
	*nfound = (size_t)r.rows;
	*out = arena_calloc(a, *nfound, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct group_entry) {
			.id = db_int(&r, i, ID),
			.path = db_str(&r, i, PATH),
			.full_path = db_str(&r, i, FULL_PATH),
			.parent_id = db_int_or_0(&r, i, PARENT_ID),
			.created_at = db_str(&r, i, CREATED_AT),
			.anonymous_networks = db_str(&r, i, ANONYMOUS_NETWORKS),
			.registry_projects = db_str(&r, i, REGISTRY_PROJECTS),
			.default_project = db_str(&r, i, DEFAULT_PROJECT),
		};
	return 0;
}

int
user_entry(struct db *db, struct arena *a, int64_t id, struct user_entry *out, struct err *err)
{
	enum { COLUMNS_USER_ENTRY };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, id);
	if (db_exec(db, a, STMT_USER_ENTRY, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 404, "User Not Found");
	*out = (struct user_entry) {
		.id = db_int(&r, 0, ID),
		.username = db_str(&r, 0, USERNAME),
		.name = db_str(&r, 0, NAME),
		.email = db_str(&r, 0, EMAIL),
		.admin = db_bool(&r, 0, IS_ADMIN),
		.state = db_str(&r, 0, STATE),
		.created_at = db_str(&r, 0, CREATED_AT),
	};
	return 0;
}
