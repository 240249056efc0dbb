#include "store/token/job_allow.h"

#include "access/naming.h"

struct setting {
	struct arena *arena;
	const struct audit_actor *actor;
	const char *project;
	const char *from;
	const char *policies;
	int64_t project_id;
};

enum { COLUMNS_JOB_ALLOW_FIND, NFOUND };

/* Binds the row of job_allow_find: a project, and a group or another project. */
static void
bind_row(struct db_params *p, const struct db_result *found)
{
	for (int column = 0; column < NFOUND; column++)
		db_bind_id(p, db_int_or_0(found, 0, column));
}

static int
find(struct db *db, struct setting *s, struct db_result *found, struct err *err)
{
	struct db_params p = { 0 };

	db_bind_str(&p, s->project);
	db_bind_str(&p, s->from);
	if (db_exec(db, s->arena, STMT_JOB_ALLOW_FIND, &p, found, err) == -1)
		return -1;
	if (found->rows == 0)
		return err_set(err, 404, "project `%s` does not exist", s->project);
	if (db_is_null(found, 0, FROM_GROUP) && db_is_null(found, 0, FROM_PROJECT))
		return err_set(err, 404, "no group or project `%s` exists", s->from);
	s->project_id = db_int(found, 0, PROJECT_ID);
	if (!db_is_null(found, 0, FROM_PROJECT) && db_int(found, 0, FROM_PROJECT) == s->project_id)
		return err_set(err, 400, "jobs of `%s` itself need no entry", s->project);
	return 0;
}

static int
add(struct db *db, struct setting *s, const struct db_result *found, struct err *err)
{
	enum { COLUMNS_JOB_ALLOW_COUNT };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, s->project_id);
	if (db_exec(db, s->arena, STMT_JOB_ALLOW_COUNT, &p, &r, err) == -1)
		return -1;
	if (db_int(&r, 0, COUNT) >= JOB_ALLOW_MAX)
		return err_set(err, 400, "an allow-list has at most %d entries", JOB_ALLOW_MAX);
	p = (struct db_params) { 0 };
	bind_row(&p, found);
	db_bind_str(&p, s->policies);
	return db_exec(db, s->arena, STMT_JOB_ALLOW_ADD, &p, NULL, err);
}

/* One row for each change: none where there was nothing to remove. */
static int
set_body(struct db *db, void *arg, struct err *err)
{
	struct setting *s = arg;
	struct audit_event event = { .facts = { { "from", s->from, false },
		{ "policies", s->policies, false } } };
	struct db_params p = { 0 };
	struct db_result found = { 0 }, removed = { 0 };

	if (find(db, s, &found, err) == -1)
		return -1;
	bind_row(&p, &found);
	if (db_exec(db, s->arena, STMT_JOB_ALLOW_REMOVE, &p, &removed, err) == -1 ||
	    (s->policies != NULL && add(db, s, &found, err) == -1))
		return -1;
	if (s->policies == NULL && removed.affected == 0) {
		db_found_done(db);
		return 0;
	}
	event.action = s->policies != NULL ? AUDIT_PROJECT_ALLOW : AUDIT_PROJECT_DISALLOW;
	event.project_id = s->project_id;
	return audit_add(db, s->arena, s->actor, &event, err);
}

int
job_allow_set(struct db *db, struct arena *a, const struct audit_actor *actor,
    const char *project, const char *from, const char *policies, int64_t *project_id,
    struct err *err)
{
	struct setting s = { .arena = a, .actor = actor, .project = project, .from = from,
		.policies = policies };
	bool unknown;

	if (naming_check_path("project path", project, err) == -1 ||
	    naming_check_path("path", from, err) == -1 ||
	    db_transaction(db, set_body, &s, &unknown, err) == -1)
		return -1;
	*project_id = s.project_id;
	return 0;
}

int
job_allow_list(struct db *db, struct arena *a, const char *project, struct job_allow **out,
    size_t *n, struct err *err)
{
	enum { COLUMNS_JOB_ALLOW_LIST };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_str(&p, project);
	if (db_exec(db, a, STMT_JOB_ALLOW_LIST, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct job_allow) {
			.from = db_str(&r, i, FROM_PATH),
			.admin = db_bool(&r, i, ADMIN),
			.from_group_id = db_int_or_0(&r, i, FROM_GROUP_ID),
			.from_project_id = db_int_or_0(&r, i, FROM_PROJECT_ID),
		};
	return 0;
}

int
job_allow_limited(struct db *db, struct arena *a, int64_t project_id, bool *limited,
    struct err *err)
{
	enum { COLUMNS_JOB_ALLOW_LIMITED };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, project_id);
	if (db_exec(db, a, STMT_JOB_ALLOW_LIMITED, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 404, "Project Not Found");
	*limited = db_bool(&r, 0, JOB_TOKEN_LIMITED);
	return 0;
}

int
job_allow_limit(struct db *db, struct arena *a, const struct audit_actor *actor,
    int64_t project_id, bool limited, struct err *err)
{
	struct audit_event event = { .action = AUDIT_PROJECT_SET,
		.facts = { { "job_token_limited", limited ? "true" : "false", true } } };
	struct db_call call = { .stmt = STMT_JOB_ALLOW_LIMIT };

	db_bind_int(&call.params, project_id);
	db_bind_bool(&call.params, limited);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	return call.result.rows == 0 ? err_set(err, 404, "Project Not Found") : 0;
}
