#include "store/token/job_token.h"

#include "access/naming.h"

int
job_token_mint(struct db *db, struct arena *a, const struct audit_actor *actor,
    int64_t project_id, const struct token_new *t, int64_t ttl, int64_t *id, int64_t *expires_at,
    struct err *err)
{
	enum { COLUMNS_JOB_TOKEN_MINT };
	struct audit_event event = { .action = AUDIT_TOKEN_CREATE, .id_key = "token_id",
		.project_id = project_id,
		.facts = { { "kind", "job", false }, { "source", "service", false },
		    { "user", t->username, false }, audit_fact_int(a, "pipeline", t->job.pipeline),
		    audit_fact_int(a, "job", t->job.job), { "job_url", t->job.job_url, false },
		    { "ref", t->job.ref, false }, { "commit", t->job.commit, false },
		    { "name", t->name, false }, audit_fact_int(a, "ttl", ttl) } };
	struct db_call call = { .stmt = STMT_JOB_TOKEN_MINT };
	struct db_params *p = &call.params;

	if (token_check_job(t, err) == -1 || naming_check_username(t->username, err) == -1)
		return -1;
	db_bind_int(p, project_id);
	db_bind_str(p, t->username);
	token_bind_job(p, t, ttl);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return err_set(err, 404, "no user `%s` is a member of this project", t->username);
	*id = event.id;
	*expires_at = db_int(&call.result, 0, EXPIRES_AT);
	return 0;
}

int
job_token_end(struct db *db, struct arena *a, const struct audit_actor *actor, int64_t project_id,
    int64_t id, struct err *err)
{
	struct audit_event event = { .action = AUDIT_TOKEN_REVOKE, .id_key = "token_id",
		.project_id = project_id };
	struct db_call call = { .stmt = STMT_JOB_TOKEN_END };

	db_bind_int(&call.params, project_id);
	db_bind_int(&call.params, id);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	return call.result.rows == 1 ? 0 : err_set(err, 404, "Job Token Not Found");
}

int
job_token_find(struct db *db, struct arena *a, int64_t token_id, struct job_of_token *out,
    struct err *err)
{
	enum { COLUMNS_JOB_OF_TOKEN };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, token_id);
	if (db_exec(db, a, STMT_JOB_OF_TOKEN, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 404, "Job Not Found");
	*out = (struct job_of_token) {
		.job.job = db_int_or_0(&r, 0, JOB),
		.job.pipeline = db_int_or_0(&r, 0, PIPELINE),
		.name = db_str(&r, 0, NAME),
		.job.job_url = db_str(&r, 0, JOB_URL),
		.job.ref = db_str(&r, 0, REF),
		.job.commit = db_str(&r, 0, COMMIT),
		.issuer = db_str(&r, 0, ISSUER),
		.created_at = db_time(&r, 0, CREATED_AT),
		.expires_at = db_time(&r, 0, EXPIRES_AT),
		.user_id = db_int_or_0(&r, 0, USER_ID),
		.username = db_str(&r, 0, USERNAME),
		.user_name = db_str(&r, 0, USER_NAME),
		.project_id = db_int_or_0(&r, 0, PROJECT_ID),
		.project = db_str(&r, 0, PROJECT),
	};
	return 0;
}
