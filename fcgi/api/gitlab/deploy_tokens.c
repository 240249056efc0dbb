#include "api/gitlab/deploy_tokens.h"

#include <string.h>

#include <openssl/crypto.h>

#include "access/token.h"
#include "access/token_words.h"
#include "auth/token_form.h"
#include "call/json_response.h"
#include "call/params.h"
#include "store/token/deploy_token.h"
#include "store/token/token.h"

const struct route_policy deploy_tokens_policy = { .action = ACTION_READ_SETTINGS,
	.flag = FLAG_SETTINGS_API };
const struct route_policy deploy_tokens_change_policy = { .action = ACTION_CHANGE_SETTINGS,
	.flag = FLAG_SETTINGS_API };
const struct route_policy deploy_tokens_group_policy = { .action = ACTION_READ_SETTINGS,
	.flag = FLAG_SETTINGS_API, .namespace_kind = NAMESPACE_GROUP };
const struct route_policy deploy_tokens_group_change_policy = { .action = ACTION_CHANGE_SETTINGS,
	.flag = FLAG_SETTINGS_API, .namespace_kind = NAMESPACE_GROUP };

static struct deploy_token_namespace
namespace_of(const struct call *call)
{
	return (struct deploy_token_namespace) { call->facts.project_id, call->facts.group_id };
}

/* secret NULL: it is not told again. */
static void
put_token(struct json_response *json, const struct deploy_token *t, const char *secret)
{
	struct json_out *o = &json->o;

	json_out_open(o, '{');
	json_out_key_int(o, "id", t->id);
	json_out_key_str(o, "name", t->name);
	json_out_key_str(o, "username", t->login);
	json_out_key_str(o, "expires_at", t->expires_at);
	json_out_key_words(o, "scopes", t->scopes);
	json_out_key_bool(o, "revoked", t->revoked);
	json_out_key_bool(o, "expired", t->expired);
	if (secret != NULL)
		json_out_key_str(o, "token", secret);
	json_out_close(o, '}');
}

int
deploy_tokens_list(struct call *call, struct request *rq, struct response *rs)
{
	struct deploy_token_namespace namespace = namespace_of(call);
	struct deploy_token *tokens;
	struct params params;
	bool active = false;
	const bool *filter = NULL;
	struct json_response json;
	struct pagination page;
	size_t n, from, to;

	if (params_read(rq, &params) == -1 || params_bool_given(&params, "active", &active, &filter) == -1 ||
	    pagination_read(&params, &page) == -1 ||
	    deploy_token_list(call->app->db, rq->arena, &namespace, filter, &tokens, &n, &rq->err) == -1)
		return -1;
	json_response_page(&page, n, &from, &to);
	json_response_begin_list(&json, rq);
	for (size_t i = from; i < to; i++)
		put_token(&json, &tokens[i], NULL);
	return json_response_end_list(&json, call->app, rq, rs, &page, n);
}

static int
respond_token(struct call *call, struct request *rq, struct response *rs, int status,
    int64_t id, const char *secret)
{
	struct deploy_token_namespace namespace = namespace_of(call);
	struct deploy_token token;
	struct json_response json;

	if (deploy_token_find(call->app->db, rq->arena, &namespace, id, &token, &rq->err) == -1)
		return -1;
	json_response_init(&json, rq);
	put_token(&json, &token, secret);
	return json_response_send(&json, rq, rs, status);
}

int
deploy_tokens_show(struct call *call, struct request *rq, struct response *rs)
{
	int64_t id;

	if (params_path_id(rq, "token_id", &id) == -1)
		return -1;
	return respond_token(call, rq, rs, 200, id, NULL);
}

static int
check_login(struct request *rq, const char *login)
{
	static const char known[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-";
	size_t n = login != NULL ? strlen(login) : 1;

	if (login == NULL || login[0] == '\0')
		return 0;
	if (n > 255 || strspn(login, known) != n || strchr(".+-", login[0]) != NULL)
		return err_set(&rq->err, 400, "username is invalid");
	return 0;
}

static int
read_token(struct params *p, struct token_new *t)
{
	static const char *const limits[] = { "scopes", "expires_at", NULL };
	const char *scopes = NULL;

	if (token_form_refuse_limits(p, limits) == -1 || params_required(p, "name", &t->name) == -1 ||
	    params_words(p, "scopes", &scopes) == -1 ||
	    params_str(p, "username", &t->login) == -1 || check_login(p->rq, t->login) == -1 ||
	    params_date_end(p, "expires_at", &t->expires_at) == -1)
		return -1;
	if (scopes == NULL)
		return err_set(&p->rq->err, 400, "scopes is missing");
	if (t->login != NULL && t->login[0] == '\0')
		t->login = NULL;
	return token_words_parse(p->rq->arena, &token_words_deploy, scopes, &t->scopes, &p->rq->err);
}

/* By tokens of jobs one acts as any member, also as one who may more than who asks. */
static int
check_scopes(const struct call *call, struct request *rq, const struct token_new *t)
{
	if (call->facts.is_admin || strstr(t->scopes, "create_job_token") == NULL)
		return 0;
	return err_set(&rq->err, 403,
	    "only administrators can make deploy tokens with `create_job_token`");
}

int
deploy_tokens_create(struct call *call, struct request *rq, struct response *rs)
{
	struct audit_actor actor = call_actor(call, rq);
	struct token_new t = { .namespace = call->facts.full_path };
	struct token *token;
	struct params params;
	int64_t id;

	if (params_read(rq, &params) == -1 || read_token(&params, &t) == -1 ||
	    check_scopes(call, rq, &t) == -1 ||
	    (token = app_make_token(call->app, rq, TOKEN_DEPLOY)) == NULL)
		return -1;
	token_new_is(&t, token);
	if (token_add_deploy(call->app->db, rq->arena, &actor, &t, &id, &rq->err) == -1)
		return -1;
	return respond_token(call, rq, rs, 201, id, token->text);
}

int
deploy_tokens_delete(struct call *call, struct request *rq, struct response *rs)
{
	struct deploy_token_namespace namespace = namespace_of(call);
	struct audit_actor actor = call_actor(call, rq);
	int64_t id;

	if (params_path_id(rq, "token_id", &id) == -1 ||
	    deploy_token_revoke(call->app->db, rq->arena, &actor, &namespace, id, &rq->err) == -1)
		return -1;
	return json_response_empty(rs);
}
