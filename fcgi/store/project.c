#include "store/project.h"

#include "access/naming.h"
#include "base/json.h"
#include "store/group.h"

int
project_check_visibility(const char *visibility, struct err *err)
{
	static const char *const words[] = { "private", "internal", "public" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i], visibility) == 0)
			return 0;
	}
	return err_set(
	    err, 400, "visibility must be private, internal or public, not `%s`", visibility);
}

static int
check_path(const char *full_path, struct err *err)
{
	if (naming_check_path("project path", full_path, err) == -1)
		return -1;
	if (strchr(full_path, '/') == NULL)
		return err_set(err, 400, "project path `%s` must be GROUP/NAME", full_path);
	return 0;
}

struct adding {
	struct arena *arena;
	const struct audit_actor *actor;
	const char *full_path;
	const char *visibility;
	int64_t id;
};

static int
add_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_PROJECT_ADD };
	struct adding *add = arg;
	struct audit_event event = { .action = AUDIT_PROJECT_CREATE, .facts = {
		{ "project", add->full_path, false }, { "visibility", add->visibility, false } } };
	struct db_params p = { 0 };
	struct db_result r = { 0 };
	struct slice group;
	const char *name;
	int64_t group_id;

	naming_split(add->full_path, &group, &name);
	if (group_lock(db, add->arena, group, &group_id, err) == -1)
		return -1;
	db_bind_int(&p, group_id);
	db_bind_str(&p, name);
	db_bind_str(&p, add->visibility);
	if (db_exec(db, add->arena, STMT_PROJECT_ADD, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 409, "`%s` exists already", add->full_path);
	add->id = event.project_id = db_int(&r, 0, ID);
	return audit_add(db, add->arena, add->actor, &event, err);
}

int
project_add(struct db *db, struct arena *a, const struct audit_actor *actor, const char *full_path,
    const char *visibility, int64_t *id, struct err *err)
{
	struct adding add = {
		.arena = a, .actor = actor, .full_path = full_path, .visibility = visibility };
	bool unknown;

	if (check_path(full_path, err) == -1 || project_check_visibility(visibility, err) == -1 ||
	    db_transaction(db, add_body, &add, &unknown, err) == -1)
		return -1;
	*id = add.id;
	return 0;
}

static void
bind_change(struct db_params *p, const bool *v)
{
	if (v == NULL)
		db_bind_null(p);
	else
		db_bind_bool(p, *v);
}

static const char *
change_text(const bool *v)
{
	return v == NULL ? NULL : *v ? "true" : "false";
}

static int
not_found(const char *full_path, struct err *err)
{
	return err_set(err, 404, "project `%s` does not exist", full_path);
}

int
project_set(struct db *db, struct arena *a, const struct audit_actor *actor, const char *full_path,
    const struct project_change *change, int64_t *id, struct err *err)
{
	struct audit_event event = {
		.action = AUDIT_PROJECT_SET,
		.facts = { { "visibility", change->visibility, false },
		    { "packages_enabled", change_text(change->packages_enabled), true },
		    { "public_packages", change_text(change->public_packages), true },
		    { "policy", change->policy, true },
		    { "anonymous_networks", change->anonymous_networks, false },
		    { "readme_images", change_text(change->readme_images), true } },
	};
	struct db_call call = { .stmt = STMT_PROJECT_SET };
	struct db_params *p = &call.params;

	if (check_path(full_path, err) == -1 ||
	    (change->visibility != NULL && project_check_visibility(change->visibility, err) == -1))
		return -1;
	db_bind_str(p, full_path);
	db_bind_str(p, change->visibility);
	bind_change(p, change->packages_enabled);
	bind_change(p, change->public_packages);
	db_bind_str(p, change->policy);
	db_bind_str(p, change->anonymous_networks);
	bind_change(p, change->readme_images);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return not_found(full_path, err);
	*id = event.id;
	return 0;
}

int
project_policy_parse(struct arena *a, const char *policy, struct project_setting **out, size_t *n,
    struct err *err)
{
	struct json_object *settings;

	*n = 0;
	if (policy == NULL)
		return 0;
	if (json_parse(a, slice_str(policy), "policy of the project", &settings, err) == -1)
		return err_internal(err, 500, "projects.policy is not JSON");
	*out = arena_calloc(a, (size_t)json_object_object_length(settings), sizeof(**out));
	json_object_object_foreach(settings, key, value)
		(*out)[(*n)++] = (struct project_setting) { key, json_object_get_string(value) };
	return 0;
}

int
project_policy(struct db *db, struct arena *a, const char *full_path,
    struct project_setting **out, size_t *n, struct err *err)
{
	enum { COLUMNS_PROJECT_POLICY };
	struct db_call call = { .stmt = STMT_PROJECT_POLICY };
	const struct db_result *r = &call.result;

	db_bind_str(&call.params, full_path);
	if (db_run(db, a, &call, 1, err) == -1)
		return -1;
	return project_policy_parse(a, r->rows == 0 ? NULL : db_str(r, 0, POLICY), out, n, err);
}

static void
read_rows(const struct db_result *r, struct arena *a, struct project **out, size_t *n)
{
	enum { COLUMNS_PROJECT_COLUMNS };

	*n = (size_t)r->rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r->rows; i++)
		(*out)[i] = (struct project) {
			.id = db_int(r, i, ID),
			.full_path = db_str(r, i, FULL_PATH),
			.visibility = db_str(r, i, VISIBILITY),
			.packages_enabled = db_bool(r, i, PACKAGES_ENABLED),
			.public_packages = db_bool(r, i, PUBLIC_PACKAGES),
			.created_at = db_int(r, i, CREATED_AT),
			.anonymous_networks = db_str(r, i, ANONYMOUS_NETWORKS),
			.readme_images = db_bool(r, i, README_IMAGES),
			.mirror_url = db_str(r, i, MIRROR_URL),
		};
}

int
project_find(struct db *db, struct arena *a, const char *full_path, struct project **out,
    struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r;
	size_t n;

	if (check_path(full_path, err) == -1)
		return -1;
	db_bind_str(&p, full_path);
	if (db_exec(db, a, STMT_PROJECT_FIND, &p, &r, err) == -1)
		return -1;
	read_rows(&r, a, out, &n);
	return n == 0 ? not_found(full_path, err) : 0;
}

int
project_list(struct db *db, struct arena *a, struct err *err)
{
	return db_list(db, a, STMT_PROJECT_LIST, NULL, err);
}

int
project_list_next(struct db *db, struct arena *a, struct project **out, size_t *n, struct err *err)
{
	struct db_result r;

	if (db_list_next(db, a, &r, err) == -1)
		return -1;
	read_rows(&r, a, out, n);
	return 0;
}
