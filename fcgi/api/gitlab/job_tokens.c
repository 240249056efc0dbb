#include "api/gitlab/job_tokens.h"

#include <openssl/crypto.h>

#include "access/naming.h"
#include "access/token.h"
#include "auth/token_form.h"
#include "call/json_response.h"
#include "call/params.h"
#include "store/token/job_token.h"

enum {
	TTL_DEFAULT_S = 3600,
	TTL_MAX_S = 7 * 86400 /* a backstop: the CI system ends them itself */
};

const struct route_policy job_tokens_policy = { .action = ACTION_CREATE_JOB_TOKEN,
	.flag = FLAG_CARGO };
const struct route_policy job_policy = { .action = ACTION_READ_TOKEN, .namespace_kind = NAMESPACE_NONE };

/* ---- made and ended by a CI system ---- */

static int
read_job(struct request *rq, struct token_new *t, int64_t *ttl)
{
	static const char *const limits[] = { "ttl", NULL };
	struct params params;

	*ttl = TTL_DEFAULT_S;
	if (params_read(rq, &params) == -1 || token_form_refuse_limits(&params, limits) == -1 ||
	    params_required(&params, "user", &t->username) == -1 ||
	    params_int(&params, "pipeline", 1, INT64_MAX, &t->job.pipeline) == -1 ||
	    params_int(&params, "job", 1, INT64_MAX, &t->job.job) == -1 ||
	    params_str(&params, "ref", &t->job.ref) == -1 ||
	    params_str(&params, "commit", &t->job.commit) == -1 ||
	    params_str(&params, "job_url", &t->job.job_url) == -1 ||
	    params_str(&params, "name", &t->name) == -1 ||
	    params_int(&params, "ttl", 1, TTL_MAX_S, ttl) == -1)
		return -1;
	if (t->job.pipeline == 0 || t->job.job == 0)
		return err_set(&rq->err, 400, "%s is missing",
		    t->job.pipeline == 0 ? "pipeline" : "job");
	return 0;
}

int
job_tokens_create(struct call *call, struct request *rq, struct response *rs)
{
	const struct audit_actor actor = call_actor(call, rq);
	struct token_new t = { .name = "" };
	struct token *token;
	int64_t ttl, id, expires_at;
	struct json_response json;
	struct json_out *o = &json.o;

	if (read_job(rq, &t, &ttl) == -1 ||
	    (token = app_make_token(call->app, rq, TOKEN_JOB)) == NULL)
		return -1;
	token_new_is(&t, token);
	if (job_token_mint(call->app->db, rq->arena, &actor, call->facts.project_id, &t, ttl, &id,
	        &expires_at, &rq->err) == -1)
		return -1;
	json_response_init(&json, rq);
	json_out_open(o, '{');
	json_out_key_id(o, "id", id);
	json_out_key_str(o, "token", token->text);
	json_out_key_time(o, "expires_at", expires_at);
	json_out_close(o, '}');
	return json_response_send(&json, rq, rs, 201);
}

int
job_tokens_end(struct call *call, struct request *rq, struct response *rs)
{
	const struct audit_actor actor = call_actor(call, rq);
	int64_t id;

	if (params_path_id(rq, "token_id", &id) == -1 ||
	    job_token_end(call->app->db, rq->arena, &actor, call->facts.project_id, id,
	        &rq->err) == -1)
		return -1;
	return json_response_empty(rs);
}

/* ---- the job that asks ---- */

static void
put_pipeline(struct json_out *o, const struct job_of_token *j)
{
	json_out_key(o, "pipeline");
	json_out_open(o, '{');
	json_out_key_id(o, "id", j->job.pipeline);
	json_out_key_id(o, "project_id", j->project_id);
	json_out_key_str(o, "ref", j->job.ref);
	json_out_key_str(o, "sha", j->job.commit);
	json_out_key_str(o, "status", "running");
	json_out_close(o, '}');
}

static void
put_user(struct json_out *o, const struct job_of_token *j)
{
	json_out_key(o, "user");
	if (j->user_id == 0) {
		json_out_null(o);
		return;
	}
	json_out_open(o, '{');
	json_out_key_id(o, "id", j->user_id);
	json_out_key_str(o, "username", j->username);
	json_out_key_str(o, "name", j->user_name);
	json_out_key_str(o, "state", "active");
	json_out_close(o, '}');
}

static void
put_rest(struct json_out *o, const struct job_of_token *j)
{
	json_out_key(o, "commit");
	if (j->job.commit == NULL) {
		json_out_null(o);
	} else {
		json_out_open(o, '{');
		json_out_key_str(o, "id", j->job.commit);
		json_out_close(o, '}');
	}
	json_out_key(o, "project");
	json_out_open(o, '{');
	json_out_key_id(o, "id", j->project_id);
	json_out_key_str(o, "path_with_namespace", j->project);
	json_out_close(o, '}');
}

int
job_show(struct call *call, struct request *rq, struct response *rs)
{
	struct job_of_token j;
	struct json_response json;
	struct json_out *o = &json.o;

	if (job_token_find(call->app->db, rq->arena, call->facts.token_id, &j, &rq->err) == -1)
		return -1;
	json_response_init(&json, rq);
	json_out_open(o, '{');
	json_out_key_id(o, "id", j.job.job);
	/* its token is good for no longer than the job runs */
	json_out_key_str(o, "status", "running");
	json_out_key_str(o, "name", j.name);
	json_out_key_str(o, "ref", j.job.ref);
	json_out_key_time(o, "created_at", j.created_at);
	json_out_key_time(o, "expires_at", j.expires_at);
	json_out_key_str(o, "web_url", naming_clean_url(j.job.job_url));
	json_out_key_str(o, "issuer", j.issuer);
	put_pipeline(o, &j);
	put_user(o, &j);
	put_rest(o, &j);
	json_out_close(o, '}');
	return json_response_send(&json, rq, rs, 200);
}
