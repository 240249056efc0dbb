#include "api/gitlab/personal_tokens.h"

#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "access/token.h"
#include "auth/token_form.h"
#include "call/json_response.h"
#include "call/params.h"
#include "store/token/personal_token.h"

enum {
	DAY = 24 * 60 * 60,
	ROTATED_DAYS = 7, /* what a token has that is rotated without a date */
	ROTATED_DAYS_MAX = 400
};

const struct route_policy personal_tokens_policy = { .action = ACTION_READ_ACCOUNT,
	.flag = FLAG_TOKENS_API, .namespace_kind = NAMESPACE_NONE };
const struct route_policy personal_tokens_change_policy = { .action = ACTION_CHANGE_ACCOUNT,
	.flag = FLAG_TOKENS_API, .namespace_kind = NAMESPACE_NONE };

/* secret NULL: it is not told again. */
static void
put_token(struct json_response *json, const struct personal_token *t, const char *secret)
{
	struct json_out *o = &json->o;

	json_out_open(o, '{');
	json_out_key_int(o, "id", t->id);
	json_out_key_str(o, "name", t->name);
	json_out_key_bool(o, "revoked", t->revoked);
	json_out_key_str(o, "created_at", t->created_at);
	json_out_key_str(o, "description", NULL);
	json_out_key_words(o, "scopes", t->scopes);
	json_out_key_int(o, "user_id", t->user_id);
	json_out_key_str(o, "last_used_at", t->last_used_at);
	json_out_key_bool(o, "active", t->active);
	json_out_key_str(o, "expires_at", t->expires_at);
	json_out_key_words(o, "crates", t->crates);
	json_out_key_words(o, "operations", t->operations);
	if (secret != NULL)
		json_out_key_str(o, "token", secret);
	json_out_close(o, '}');
}

/* Whose tokens are asked for: the caller's, unless an administrator says another. */
static int
read_user(struct call *call, struct params *p, int64_t *user_id)
{
	*user_id = call->facts.user_id;
	if (params_int(p, "user_id", 1, INT64_MAX, user_id) == -1)
		return -1;
	if (*user_id != call->facts.user_id && !call->facts.is_admin)
		return err_set(&p->rq->err, 403,
		    "only administrators can see the tokens of other users");
	return 0;
}

struct filter {
	struct personal_token_filter f;
	bool revoked, active;
};

static int
read_filter(struct params *p, struct filter *filter)
{
	static const char *const states[] = { "inactive", "active" };
	size_t state = 2;

	*filter = (struct filter) { .revoked = false };
	if (params_bool_given(p, "revoked", &filter->revoked, &filter->f.revoked) == -1 ||
	    params_word(p, "state", states, 2, &state) == -1 ||
	    params_str(p, "search", &filter->f.search) == -1)
		return -1;
	filter->active = state == 1;
	if (state < 2)
		filter->f.active = &filter->active;
	return 0;
}

int
personal_tokens_list(struct call *call, struct request *rq, struct response *rs)
{
	struct personal_token *tokens;
	struct params params;
	struct filter filter;
	struct json_response json;
	struct pagination page;
	size_t n, from, to;
	int64_t user_id;

	if (params_read(rq, &params) == -1 || read_user(call, &params, &user_id) == -1 ||
	    read_filter(&params, &filter) == -1 || pagination_read(&params, &page) == -1 ||
	    personal_token_list(call->app->db, rq->arena, user_id, &filter.f, &tokens, &n,
	        &rq->err) == -1)
		return -1;
	json_response_page(&page, n, &from, &to);
	json_response_begin_list(&json, rq);
	for (size_t i = from; i < to; i++)
		put_token(&json, &tokens[i], NULL);
	return json_response_end_list(&json, call->app, rq, rs, &page, n);
}

static int
respond_token(struct worker_app *app, struct request *rq, struct response *rs, int64_t user_id,
    int64_t id, const char *secret)
{
	struct personal_token token;
	struct json_response json;

	if (personal_token_find(app->db, rq->arena, user_id, id, &token, &rq->err) == -1)
		return -1;
	json_response_init(&json, rq);
	put_token(&json, &token, secret);
	return json_response_send(&json, rq, rs, 200);
}

/* The token of the path, and who must have it: its user, for administrators, else the caller. */
static int
read_token(struct call *call, struct request *rq, int64_t *user_id, int64_t *id)
{
	*user_id = call->facts.user_id;
	if (params_path_id(rq, "token_id", id) == -1)
		return -1;
	return call->facts.is_admin ?
	    personal_token_owner(call->app->db, rq->arena, *id, user_id, &rq->err) : 0;
}

int
personal_tokens_show(struct call *call, struct request *rq, struct response *rs)
{
	int64_t user_id, id;

	if (read_token(call, rq, &user_id, &id) == -1)
		return -1;
	return respond_token(call->app, rq, rs, user_id, id, NULL);
}

int
personal_tokens_show_self(struct call *call, struct request *rq, struct response *rs)
{
	return respond_token(call->app, rq, rs, call->facts.user_id, call->facts.token_id, NULL);
}

static int
revoke(struct call *call, struct request *rq, struct response *rs, int64_t user_id,
    int64_t id)
{
	struct audit_actor actor = call_actor(call, rq);

	if (personal_token_revoke(call->app->db, rq->arena, &actor, user_id, id, &rq->err) == -1)
		return -1;
	return json_response_empty(rs);
}

int
personal_tokens_revoke(struct call *call, struct request *rq, struct response *rs)
{
	int64_t user_id, id;

	if (read_token(call, rq, &user_id, &id) == -1)
		return -1;
	return revoke(call, rq, rs, user_id, id);
}

int
personal_tokens_revoke_self(struct call *call, struct request *rq, struct response *rs)
{
	return revoke(call, rq, rs, call->facts.user_id, call->facts.token_id);
}

/* When the new token ends: at the beginning of the day that is asked for, or that in a week. */
static int
read_end(struct params *p, struct personal_token_successor *s)
{
	int64_t today = time(NULL) / DAY * DAY;

	if (params_date(p, "expires_at", &s->expires_at) == -1)
		return -1;
	s->asked = s->expires_at != 0;
	if (!s->asked)
		s->expires_at = today + (int64_t)ROTATED_DAYS * DAY;
	if (s->expires_at <= time(NULL) || s->expires_at > today + (int64_t)ROTATED_DAYS_MAX * DAY)
		return err_set(&p->rq->err, 400,
		    "expires_at must be after today and within %d days", ROTATED_DAYS_MAX);
	return 0;
}

/* Administrators revoke what is another's, but do not come by a token that acts as them. */
static int
rotate(struct call *call, struct request *rq, struct response *rs, int64_t id)
{
	static const char *const limits[] = { "expires_at", NULL };
	struct audit_actor actor = call_actor(call, rq);
	struct personal_token_successor successor = { 0 };
	struct token *token;
	struct params params;
	int64_t new_id;

	if (params_read(rq, &params) == -1 || token_form_refuse_limits(&params, limits) == -1 ||
	    read_end(&params, &successor) == -1 ||
	    (token = app_make_token(call->app, rq, TOKEN_PERSONAL)) == NULL)
		return -1;
	successor.digest = slice_of((const char *)token->digest, sizeof(token->digest));
	successor.handle = token->handle;
	if (personal_token_rotate(call->app->db, rq->arena, &actor, call->facts.user_id, id,
	        &successor, &new_id, &rq->err) == -1)
		return -1;
	return respond_token(call->app, rq, rs, call->facts.user_id, new_id, token->text);
}

int
personal_tokens_rotate(struct call *call, struct request *rq, struct response *rs)
{
	int64_t id;

	if (params_path_id(rq, "token_id", &id) == -1)
		return -1;
	return rotate(call, rq, rs, id);
}

int
personal_tokens_rotate_self(struct call *call, struct request *rq, struct response *rs)
{
	return rotate(call, rq, rs, call->facts.token_id);
}
