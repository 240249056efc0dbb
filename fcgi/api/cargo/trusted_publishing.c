#include "api/cargo/trusted_publishing.h"

#include "access/token.h"
#include "auth/id_token_login.h"
#include "auth/rate_limit.h"
#include "auth/token_form.h"
#include "call/json_response.h"
#include "call/params.h"
#include "store/token/token.h"

enum { TTL_S = 30 * 60 };

const struct route_policy trusted_publishing_revoke_policy = { .action = ACTION_END_TOKEN,
	.namespace_kind = NAMESPACE_NONE };

static int
respond(struct request *rq, struct response *rs, const char *token, int64_t expires_at)
{
	struct json_response json;

	json_response_init(&json, rq);
	json_out_open(&json.o, '{');
	json_out_key_str(&json.o, "token", token);
	json_out_key_time(&json.o, "expires_at", expires_at);
	json_out_close(&json.o, '}');
	return json_response_send(&json, rq, rs, 200);
}

int
trusted_publishing_exchange(struct call *call, struct request *rq, struct response *rs)
{
	static const char *const none[] = { NULL };
	struct id_token_pass pass = { .exchanged = true, .ttl = TTL_S };
	const struct namespace_ref project = call_namespace(rq);
	struct id_token_login login;
	struct params params;
	struct token *token;
	const char *text = "";

	if (params_read(rq, &params) == -1 || token_form_refuse_limits(&params, none) == -1 ||
	    params_secret(&params, "jwt", &text) == -1)
		return -1;
	if (text[0] == '\0')
		return err_set(&rq->err, 400, "jwt is missing or empty; it must be the identity token of the job");
	if ((token = app_make_token(call->app, rq, TOKEN_JOB)) == NULL)
		return -1;
	pass.digest = token->digest;
	pass.handle = token->handle;
	if (id_token_login_read(call->app, rq, slice_str(text), &login) == -1 ||
	    id_token_login_admit(call, rq, &login, NAMESPACE_PROJECT, &project, &pass) == -1)
		return rate_limit_note_bad_credential(call->app, rq);
	return respond(rq, rs, token->text, pass.expires_at);
}

int
trusted_publishing_revoke(struct call *call, struct request *rq, struct response *rs)
{
	const struct audit_actor actor = call_actor(call, rq);
	int64_t id;

	if (strcmp(call->facts.token_kind, "job") != 0)
		return err_set(&rq->err, 403, "only job tokens can be revoked here");
	if (!call->facts.token_usable && rate_limit_charge_ended_token(call, rq) == -1)
		return -1;
	/* an expired token needs no revocation; any other is revoked, even if it is refused only for now */
	if (call->facts.token_state == TOKEN_EXPIRED)
		return json_response_empty(rs);
	if (token_revoke(call->app->db, rq->arena, &actor, call->facts.token_id, slice_of("", 0),
	        &id, &rq->err) == -1)
		return -1;
	return json_response_empty(rs);
}
