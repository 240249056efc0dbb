#include "store/audit_log.h"

#include <inttypes.h>
#include <stdio.h>

#include "crate/crate_name.h"
#include "store/project.h"
#include "store/user.h"

static int
check_crate(const char *name, struct err *err)
{
	struct err wrong = { 0 };

	if (crate_name_check(slice_str(name), "crate", &wrong) == -1)
		return err_set(err, 400, "`%s` is not the name of a crate", name);
	return 0;
}

int
audit_log_open(struct db *db, struct arena *a, const struct audit_filter *f, bool oldest_first,
    struct audit_cursor *cursor, struct err *err)
{
	struct project *project;

	*cursor = (struct audit_cursor) { .oldest_first = oldest_first, .action = f->action,
		.token_id = f->token_id,
		.since = f->since, .until = f->until };
	if (f->action != NULL && !audit_action_exists(slice_str(f->action)))
		return err_set(err, 400, "there is no action `%s`", f->action);
	if (f->crate != NULL) {
		if (check_crate(f->crate, err) == -1)
			return -1;
		cursor->crate = crate_name_normalize(a, slice_str(f->crate));
	}
	if (f->project != NULL) {
		if (project_find(db, a, f->project, &project, err) == -1)
			return -1;
		cursor->project_id = project->id;
	}
	if (f->username != NULL)
		return user_find(db, a, f->username, &cursor->user_id, err);
	return 0;
}

static void
bind_cursor(struct db_params *p, const struct audit_cursor *cursor, int64_t most)
{
	db_bind_id(p, cursor->project_id);
	db_bind_id(p, cursor->user_id);
	db_bind_str(p, cursor->action);
	db_bind_str(p, cursor->crate);
	db_bind_time(p, cursor->since);
	db_bind_time(p, cursor->until);
	db_bind_str(p, cursor->last_id != 0 ? cursor->last_at : NULL);
	db_bind_id(p, cursor->last_id);
	db_bind_int(p, most);
	db_bind_id(p, cursor->token_id);
}

static struct audit_row
read_row(const struct db_result *r, int i)
{
	enum { COLUMNS_AUDIT_NEWEST };

	return (struct audit_row) {
		.id = db_int(r, i, ID),
		.at = db_str(r, i, AT),
		.action = db_str(r, i, ACTION),
		.user_id = db_int_or_0(r, i, USER_ID),
		.username = db_str(r, i, USERNAME),
		.token_id = db_int_or_0(r, i, TOKEN_ID),
		.token_kind = db_str(r, i, TOKEN_KIND),
		.project_id = db_int_or_0(r, i, PROJECT_ID),
		.project = db_str(r, i, PROJECT),
		.crate = db_str(r, i, CRATE),
		.version = db_str(r, i, VERSION),
		.remote_addr = db_str(r, i, REMOTE_ADDR),
		.request_id = db_str(r, i, REQUEST_ID),
		.detail = db_str(r, i, DETAIL),
		.system_user = db_str(r, i, SYSTEM_USER),
		.pipeline = db_int_or_0(r, i, PIPELINE),
		.job = db_int_or_0(r, i, JOB),
		.job_url = db_str(r, i, JOB_URL),
		.ref = db_str(r, i, REF),
		.commit = db_str(r, i, COMMIT),
		.job_project = db_str(r, i, JOB_PROJECT),
		.job_issuer = db_str(r, i, JOB_ISSUER),
	};
}

int
audit_log_next(struct db *db, struct arena *a, struct audit_cursor *cursor, int64_t most,
    struct audit_row **rows, size_t *n, struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	bind_cursor(&p, cursor, most);
	if (db_exec(db, a, cursor->oldest_first ? STMT_AUDIT_OLDEST : STMT_AUDIT_NEWEST, &p, &r,
	        err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*rows = arena_calloc(a, *n, sizeof(**rows));
	for (int i = 0; i < r.rows; i++)
		(*rows)[i] = read_row(&r, i);
	if (*n > 0) {
		const struct audit_row *last = &(*rows)[*n - 1];

		cursor->last_id = last->id;
		snprintf(cursor->last_at, sizeof(cursor->last_at), "%s", last->at);
	}
	return 0;
}

int
audit_log_check_token(struct db *db, struct arena *a, const struct audit_cursor *cursor, struct err *err)
{
	enum { COLUMNS_TOKEN_EXISTS };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	if (cursor->token_id == 0)
		return 0;
	db_bind_int(&p, cursor->token_id);
	if (db_exec(db, a, STMT_TOKEN_EXISTS, &p, &r, err) == -1)
		return -1;
	return db_bool(&r, 0, FOUND) ? 0
	    : err_set(err, 404, "token %" PRId64 " does not exist, and no change with it matches", cursor->token_id);
}
