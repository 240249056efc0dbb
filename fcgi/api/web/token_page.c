#include "api/web/token_page.h"

#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "access/token.h"
#include "api/web/page.h"
#include "api/web/templates.h"
#include "api/web/token_html.h"
#include "api/web/way_back.h"
#include "auth/rate_limit.h"

static int
admit(const struct worker_app *app, struct request *rq)
{
	bool on;

	if (db_connect(app->db, &rq->err) == -1 ||
	    flag_ask(app->db, rq->arena, FLAG_TOKEN_PAGE, &on, &rq->err) == -1)
		return -1;
	return on ? 0 : err_set(&rq->err, 404, "Not Found");
}

const struct route_policy token_page_policy = { .admit = admit };

int
token_page_redirect(struct call *call, struct request *rq, struct response *rs)
{
	response_header(rs, "Location",
	    arena_printf(rq->arena, "%s/-/tokens", call->app->settings->external_url));
	response_header(rs, "Cache-Control", "no-store");
	response_body(rs, 302, "text/plain; charset=utf-8",
	    slice_str("Make tokens for this registry at the page in the Location header.\n"));
	return 0;
}

/* The page of whoever is signed in. */
static int
show(struct worker_app *app, struct request *rq, struct response *rs, const struct web_session *v, int status,
    struct token_page *shown)
{
	static const struct token_form empty = { "", "api", "", "", "" };
	struct token_entry *tokens;
	struct page page;

	if (session_tokens(app->db, rq->arena, v->session.user_id, &tokens, &shown->ntokens, &rq->err) == -1)
		return -1;
	shown->tokens = tokens;
	if (shown->form == NULL)
		shown->form = &empty;
	page_init_forms(&page, app, rq, v, "Tokens");
	html_tokens(&page.html, &page, shown);
	return page_respond(&page, rs, v, status);
}

int
token_page_handle(struct call *call, struct request *rq, struct response *rs)
{
	struct web_session *v = web_session_new(call->app, rq);
	struct params params = { .rq = rq, .form = slice_str("") };
	struct token_page shown = { 0 };
	const char *refused = NULL, *to;
	struct page page;

	if (way_back_read(&params, &to) == -1)
		return -1;
	if (web_session_begin(call->app, rq, v) == -1) {
		if (rq->err.status != 403)
			return -1;
		refused = page_sentence(rq->arena, rq->err.pub);
		err_clear(&rq->err);
	}
	if (v->session.user_id != 0)
		return to != NULL ? web_session_redirect(call->app, rq, rs, v, to) :
		    show(call->app, rq, rs, v, 200, &shown);
	page_init(&page, call->app, rq, v, "Sign in");
	page_set_back(&page, to);
	html_signed_out(&page.html, &page, call->app->settings->sso, refused);
	return page_respond(&page, rs, v, refused == NULL ? 200 : 403);
}

/* Adds the token; its text lives as long as the request. */
static int
add(struct worker_app *app, struct request *rq, const struct web_session *v, struct token_new *t,
    const char **text)
{
	struct audit_actor actor = web_session_actor(v, rq);
	struct token *token = app_make_token(app, rq, TOKEN_PERSONAL);
	int64_t id;

	if (token == NULL)
		return -1;
	t->username = v->session.username;
	token_new_is(t, token);
	*text = token->text;
	return token_add_personal(app->db, rq->arena, &actor, t, &id, &rq->err);
}

int
token_page_create(struct call *call, struct request *rq, struct response *rs)
{
	struct web_session *v = web_session_new(call->app, rq);
	struct token_page shown = { 0 };
	struct token_form form;
	struct token_new token;
	struct params params;
	struct err wrong = { 0 };

	if (web_session_begin_form(call->app, rq, v, &params) == -1 ||
	    token_form_read(&params, &form) == -1)
		return -1;
	if (token_form_check(rq->arena, &form, time(NULL), &token, &wrong) == -1) {
		shown.form = &form;
		shown.wrong = page_sentence(rq->arena, wrong.pub);
		return show(call->app, rq, rs, v, 400, &shown);
	}
	if (rate_limit_charge_user(call->app, rq, v->session.user_id) == -1 ||
	    add(call->app, rq, v, &token, &shown.made) == -1)
		return -1;
	return show(call->app, rq, rs, v, 200, &shown);
}

int
token_page_revoke(struct call *call, struct request *rq, struct response *rs)
{
	struct web_session *v = web_session_new(call->app, rq);
	struct audit_actor actor;
	struct params params;
	int64_t id;

	if (web_session_begin_form(call->app, rq, v, &params) == -1 ||
	    params_path_id(rq, "token_id", &id) == -1)
		return -1;
	actor = web_session_actor(v, rq);
	if (session_token_revoke(call->app->db, rq->arena, &actor, id, &rq->err) == -1)
		return -1;
	return web_session_redirect(call->app, rq, rs, v, "/-/tokens");
}

/* A page for somebody who has no session yet, with the same header as any other page. */
static int
init_sign_in(struct page *page, struct worker_app *app, struct request *rq, const char *to)
{
	page_init(page, app, rq, NULL, "Sign in");
	page_set_back(page, to);
	return flag_ask(app->db, rq->arena, FLAG_WEB_PAGES, &page->has_search, &rq->err);
}

/*
 * Answers with the form that asks for a code.  wrong: why the last code was refused, or NULL.  to: from
 * way_back_read().
 */
static int
ask_code(struct worker_app *app, struct request *rq, struct response *rs, int status, const char *wrong,
    const char *to)
{
	struct page page;

	if (init_sign_in(&page, app, rq, to) == -1)
		return -1;
	html_ask_code(&page.html, &page, wrong);
	return page_respond(&page, rs, NULL, status);
}

int
token_page_sign_in(struct call *call, struct request *rq, struct response *rs)
{
	struct params params = { .rq = rq, .form = slice_str("") };
	const char *to;

	return way_back_read(&params, &to) == -1 ? -1 : ask_code(call->app, rq, rs, 200, NULL, to);
}

/* A pasted code. */
struct code {
	char *text;
	const char *to; /* where it leads; NULL: to the tokens */
	unsigned char digest[SECRET_DIGEST_SIZE];
};

/* -1: 403 it has not the form of a code of this registry. */
static int
read_code(struct arena *a, const char *given, struct code *code, struct err *err)
{
	static const char blank[] = " \t\r\n";
	struct slice text;

	given += strspn(given, blank);
	text = slice_of(given, strcspn(given, blank));
	if (given[text.n + strspn(given + text.n, blank)] != '\0' || !secret_parse(text, code->digest))
		return err_set(err, 403, "this code is not valid; paste the whole code that you were given");
	code->text = arena_slicedup(a, text);
	return 0;
}

/* Shows whom the code signs in, and a button: the code stays good until that is pressed. */
static int
show_whom(struct worker_app *app, struct request *rq, struct response *rs, const struct code *code)
{
	const char *username;
	struct page page;

	if (session_link_find(app->db, rq->arena,
	        slice_of((const char *)code->digest, sizeof(code->digest)), &username, &rq->err) == -1 ||
	    init_sign_in(&page, app, rq, code->to) == -1)
		return -1;
	html_sign_in(&page.html, &page, code->text, username);
	return page_respond(&page, rs, NULL, 200);
}

static int
sign_in(struct worker_app *app, struct request *rq, struct response *rs, const struct code *code)
{
	struct web_session *v = web_session_new(app, rq);
	struct session_proof proof = {
		.link = slice_of((const char *)code->digest, sizeof(code->digest)),
	};

	if (web_session_open(app, rq, v, &proof) == -1)
		return -1;
	return web_session_redirect(app, rq, rs, v, code->to != NULL ? code->to : "/-/tokens");
}

int
token_page_sign_in_do(struct call *call, struct request *rq, struct response *rs)
{
	bool confirmed = false;
	struct params params;
	const char *given = "";
	struct code code;
	struct err wrong;

	if (web_session_read_form(call->app, rq, &params) == -1 || way_back_read(&params, &code.to) == -1 ||
	    params_secret(&params, "code", &given) == -1 ||
	    params_bool(&params, "confirm", &confirmed) == -1)
		return -1;
	if (read_code(rq->arena, given, &code, &rq->err) == 0 &&
	    db_connect(call->app->db, &rq->err) == 0 &&
	    (confirmed ? sign_in : show_whom)(call->app, rq, rs, &code) == 0)
		return 0;
	if (rq->err.status == 403)
		(void)rate_limit_note_bad_credential(call->app, rq);
	if (rq->err.status != 403)
		return -1;
	wrong = rq->err;
	err_clear(&rq->err);
	return ask_code(call->app, rq, rs, 403, page_sentence(rq->arena, wrong.pub), code.to);
}

int
token_page_sign_out(struct call *call, struct request *rq, struct response *rs)
{
	struct web_session *v = web_session_new(call->app, rq);
	struct params params;

	if (web_session_begin_form(call->app, rq, v, &params) == -1 ||
	    web_session_close(call->app, rq, v) == -1)
		return -1;
	return web_session_redirect(call->app, rq, rs, v, "/-/tokens");
}
