#include "store/group.h"

#include "access/naming.h"
#include "base/buf.h"
#include "base/words.h"

int
group_lock(struct db *db, struct arena *a, struct slice full_path, int64_t *id, struct err *err)
{
	enum { COLUMNS_GROUP_LOCK };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_slice(&p, a, full_path);
	if (db_exec(db, a, STMT_GROUP_LOCK, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(
		    err, 404, "group `%.*s` does not exist", (int)full_path.n, full_path.p);
	*id = db_int(&r, 0, ID);
	return 0;
}

struct adding {
	struct arena *arena;
	const struct audit_actor *actor;
	const char *full_path;
	int64_t id;
};

static int
add_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_GROUP_ADD };
	struct adding *add = arg;
	struct audit_event event = { .action = AUDIT_GROUP_CREATE, .id_key = "group_id",
		.facts = { { "group", add->full_path, false } } };
	struct db_params p = { 0 }, self = { 0 };
	struct db_result r = { 0 };
	struct slice parent;
	const char *name;
	int64_t parent_id = 0;

	naming_split(add->full_path, &parent, &name);
	if (parent.n == 0)
		db_bind_null(&p);
	else if (group_lock(db, add->arena, parent, &parent_id, err) == -1)
		return -1;
	else
		db_bind_int(&p, parent_id);
	db_bind_str(&p, name);
	if (db_exec(db, add->arena, STMT_GROUP_ADD, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 409, "`%s` exists already", add->full_path);
	add->id = db_int(&r, 0, ID);
	db_bind_int(&self, add->id);
	if (db_exec(db, add->arena, STMT_GROUP_ADD_SELF, &self, NULL, err) == -1)
		return -1;
	event.id = add->id;
	return audit_add(db, add->arena, add->actor, &event, err);
}

int
group_add(struct db *db, struct arena *a, const struct audit_actor *actor, const char *full_path,
    int64_t *id, struct err *err)
{
	struct adding add = { .arena = a, .actor = actor, .full_path = full_path };
	bool unknown;

	if (naming_check_path("group path", full_path, err) == -1 ||
	    db_transaction(db, add_body, &add, &unknown, err) == -1)
		return -1;
	*id = add.id;
	return 0;
}

static int
not_found(const char *full_path, struct err *err)
{
	return err_set(err, 404, "group `%s` does not exist", full_path);
}

int
group_find(struct db *db, struct arena *a, const char *full_path, int64_t *id, struct err *err)
{
	enum { COLUMNS_GROUP_FIND };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_str(&p, full_path);
	if (db_exec(db, a, STMT_GROUP_FIND, &p, &r, err) == -1)
		return -1;
	*id = r.rows == 0 ? 0 : db_int(&r, 0, ID);
	return 0;
}

int
group_find_projects(struct db *db, struct arena *a, const char *full_path, const char *words,
    int64_t ids[GROUP_PROJECTS_MAX], size_t *n, const char **paths, struct err *err)
{
	enum { COLUMNS_GROUP_FIND_PROJECTS };
	const char **list = arena_calloc(a, GROUP_PROJECTS_MAX, sizeof(*list));
	struct db_params p = { 0 };
	struct db_result r = { 0 };
	struct slice word;
	struct buf b;

	for (*n = 0; words_next(&words, &word); ++*n) {
		if (*n == GROUP_PROJECTS_MAX)
			return err_set(err, 400, "more than %d projects are listed", GROUP_PROJECTS_MAX);
		list[*n] = arena_slicedup(a, word);
	}
	db_bind_str(&p, full_path);
	db_bind_array(&p, a, list, *n);
	if (db_exec(db, a, STMT_GROUP_FIND_PROJECTS, &p, &r, err) == -1)
		return -1;
	if ((size_t)r.rows < *n)
		return not_found(full_path, err);
	buf_init(&b, a, (size_t)GROUP_PROJECTS_MAX * 1024);
	for (int i = 0; i < r.rows; i++) {
		if (db_is_null(&r, i, ID))
			return err_set(err, 404, "there is no project `%s` below group `%s`", list[i], full_path);
		ids[i] = db_int(&r, i, ID);
		buf_printf(&b, "%s%s", i > 0 ? " " : "", db_str(&r, i, FULL_PATH));
	}
	*paths = buf_str(&b);
	return 0;
}

/* Binds the ids of the listed projects, or null; *paths: their full paths. */
static int
bind_projects(struct db_params *p, struct db *db, struct arena *a, const char *full_path, const char *words,
    bool one, const char **paths, struct err *err)
{
	int64_t *ids = arena_calloc(a, GROUP_PROJECTS_MAX, sizeof(*ids));
	size_t n = 0;

	if (words == NULL) {
		db_bind_null(p);
		return 0;
	}
	if (group_find_projects(db, a, full_path, words, ids, &n, paths, err) == -1)
		return -1;
	if (one && n > 1)
		return err_set(err, 400, "default_project must be one project, but `%s` names %zu", words, n);
	if (one)
		db_bind_int(p, n == 0 ? 0 : ids[0]);
	else
		db_bind_ids(p, a, ids, n);
	return 0;
}

int
group_set(struct db *db, struct arena *a, const struct audit_actor *actor, const char *full_path,
    const struct group_change *change, struct err *err)
{
	enum { GROUP, NETWORKS, PROJECTS, DEFAULT };
	struct audit_event event = { .action = AUDIT_GROUP_SET, .id_key = "group_id",
		.facts = { [GROUP] = { "group", full_path, false },
		    [NETWORKS] = { "anonymous_networks", change->anonymous_networks, false },
		    [PROJECTS] = { "registry_projects", NULL, false },
		    [DEFAULT] = { "default_project", NULL, false } } };
	struct db_call call = { .stmt = STMT_GROUP_SET };

	db_bind_str(&call.params, full_path);
	db_bind_str(&call.params, change->anonymous_networks);
	if (bind_projects(&call.params, db, a, full_path, change->registry_projects, false,
	        &event.facts[PROJECTS].value, err) == -1 ||
	    bind_projects(&call.params, db, a, full_path, change->default_project, true,
	        &event.facts[DEFAULT].value, err) == -1 ||
	    audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	return call.result.rows == 0 ? not_found(full_path, err) : 0;
}

int
group_list(struct db *db, struct arena *a, struct group **out, size_t *n, struct err *err)
{
	enum { COLUMNS_GROUP_LIST };
	struct db_result r = { 0 };

	if (db_exec(db, a, STMT_GROUP_LIST, NULL, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct group) {
			.id = db_int(&r, i, ID),
			.full_path = db_str(&r, i, FULL_PATH),
			.parent_id = db_int_or_0(&r, i, PARENT_ID),
			.created_at = db_int(&r, i, CREATED_AT),
			.anonymous_networks = db_str(&r, i, ANONYMOUS_NETWORKS),
			.registry_projects = db_str(&r, i, REGISTRY_PROJECTS),
			.default_project = db_str(&r, i, DEFAULT_PROJECT),
		};
	return 0;
}
