#include "store/token/gitlab_pin.h"

#include <inttypes.h>
#include <string.h>

static const struct {
	const char *name;
	enum stmt remove;
	enum audit_action action;
	const char *id_key; /* NULL: the event belongs to the project */
} kinds[] = {
	[GITLAB_PIN_USER] = { "user", STMT_GITLAB_UNPIN_USER, AUDIT_USER_UNPIN, "user_id" },
	[GITLAB_PIN_PROJECT] = { "project", STMT_GITLAB_UNPIN_PROJECT, AUDIT_PROJECT_UNPIN, NULL },
};

static int
refuse(const struct db_result *r, const struct gitlab_job *job, struct err *err)
{
	enum { COLUMNS_GITLAB_PIN_OTHER };
	const char *kind = db_str(r, 0, KIND);
	bool user = strcmp(kind, kinds[GITLAB_PIN_USER].name) == 0;

	return err_set(err, 401,
	    "the %s `%s` here is pinned to number %" PRId64 " in GitLab, but this job belongs to `%s`, "
	    "number %" PRId64 " there; if both are the same, ask an administrator to run `berth %s unpin %s`",
	    kind, db_str(r, 0, NAME), db_int(r, 0, GITLAB_ID), user ? job->username : job->project_path,
	    user ? job->user_id : job->project_id, kind, db_str(r, 0, NAME));
}

int
gitlab_pin_check(struct db *db, struct arena *a, const struct gitlab_job *job, int64_t user_id,
    int64_t project_id, struct err *err)
{
	enum { PIN, OTHER, NCALLS };
	struct db_call calls[NCALLS] = { [PIN] = { .stmt = STMT_GITLAB_PIN },
		[OTHER] = { .stmt = STMT_GITLAB_PIN_OTHER } };
	struct db_params *p = &calls[PIN].params, *q = &calls[OTHER].params;

	db_bind_str(p, job->gitlab);
	db_bind_int(p, job->user_id);
	db_bind_int(p, user_id);
	db_bind_str(p, job->username);
	db_bind_id(p, job->project_id);
	db_bind_int(p, project_id);
	db_bind_str(p, job->project_path);
	db_bind_str(q, job->gitlab);
	db_bind_int(q, job->user_id);
	db_bind_int(q, user_id);
	db_bind_id(q, job->project_id);
	db_bind_int(q, project_id);
	if (db_run(db, a, calls, NCALLS, err) == -1)
		return -1;
	return calls[OTHER].result.rows == 0 ? 0 : refuse(&calls[OTHER].result, job, err);
}

int
gitlab_pin_list(struct db *db, struct arena *a, enum gitlab_pin_kind kind, struct err *err)
{
	struct db_params p = { 0 };

	db_bind_str(&p, kinds[kind].name);
	return db_list(db, a, STMT_GITLAB_PINS_LIST, &p, err);
}

int
gitlab_pin_list_next(struct db *db, struct arena *a, struct gitlab_pin **out, size_t *n, struct err *err)
{
	enum { COLUMNS_GITLAB_PINS_LIST };
	struct db_result r;

	if (db_list_next(db, a, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct gitlab_pin) {
			.name = db_str(&r, i, NAME),
			.gitlab = db_str(&r, i, GITLAB),
			.gitlab_id = db_int(&r, i, GITLAB_ID),
			.gitlab_name = db_str(&r, i, GITLAB_NAME),
			.created_at = db_int(&r, i, CREATED_AT),
		};
	return 0;
}

int
gitlab_pin_remove(struct db *db, struct arena *a, const struct audit_actor *actor,
    enum gitlab_pin_kind kind, const char *name, int64_t *id, struct err *err)
{
	enum { COLUMNS_GITLAB_UNPIN_USER };
	struct audit_event event = { .action = kinds[kind].action, .id_key = kinds[kind].id_key,
		.facts = { { kinds[kind].name, name, false } } };
	struct db_call call = { .stmt = kinds[kind].remove };

	db_bind_str(&call.params, name);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return err_set(err, 404, "%s `%s` does not exist", kinds[kind].name, name);
	*id = db_int(&call.result, 0, ID);
	return 0;
}
