#include "api/web/web_session.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "auth/rate_limit.h"
#include "base/gzip.h"
#include "base/log.h"
#include "base/url.h"
#include "http/accept.h"
#include "http/cookie.h"

/*
 * The prefix makes browsers keep the cookie to https and, where it may be __Host-, to this host.  That
 * one needs the path `/`, which a registry below a path shares with others.
 */
static const char *
cookie_name(const struct web_session *v)
{
	return v->path[0] == '\0' ? "__Host-berth" : "__Secure-berth";
}

static struct slice
digest_of(const struct web_session *v)
{
	return slice_of((const char *)v->digest, sizeof(v->digest));
}

static void
cleanse(void *arg)
{
	struct web_session *v = arg;

	OPENSSL_cleanse(v->secret, sizeof(v->secret));
}

struct web_session *
web_session_new(const struct worker_app *app, struct request *rq)
{
	struct web_session *v = arena_alloc(rq->arena, sizeof(*v));

	v->path = url_path(app->settings->external_url);
	v->session.username = "";
	arena_defer(rq->arena, cleanse, v);
	return v;
}

static void
note_actor(struct request *rq, const struct web_session *v)
{
	if (v->session.user_id != 0)
		snprintf(rq->actor, sizeof(rq->actor), "user:%" PRId64 "/session",
		    v->session.user_id);
	else
		snprintf(rq->actor, sizeof(rq->actor), "anonymous");
}

struct audit_actor
web_session_actor(const struct web_session *v, const struct request *rq)
{
	return (struct audit_actor) {
		.user_id = v->session.user_id,
		.remote_addr = rq->remote_addr,
		.request_id = rq->id,
	};
}

/* Opens the session of the digest. */
static int
open_session(struct worker_app *app, struct request *rq, struct web_session *v,
    const struct session_proof *proof)
{
	struct audit_actor actor = { .remote_addr = rq->remote_addr, .request_id = rq->id };

	if (session_open(app->db, rq->arena, &actor, proof, digest_of(v), &rq->err) == -1)
		return -1;
	v->session.user_id = actor.user_id;
	note_actor(rq, v);
	return 0;
}

int
web_session_open(struct worker_app *app, struct request *rq, struct web_session *v,
    const struct session_proof *proof)
{
	v->is_new = true;
	if (secret_generate(v->secret, v->digest, &rq->err) == -1)
		return -1;
	return open_session(app, rq, v, proof);
}

/* The session of the request's cookie, if there is one. */
static int
find_session(struct worker_app *app, struct request *rq, struct web_session *v)
{
	struct slice cookie = cookie_find(request_header(rq, "HTTP_COOKIE"), cookie_name(v));

	/* browsers send one header, which HTTP/2 may split and nginx joins again */
	if (request_header_count(rq, "HTTP_COOKIE") > 1)
		return err_set(&rq->err, 400, "the header Cookie is given more than once");
	if (!secret_parse(cookie, v->digest))
		return session_find(app->db, rq->arena, slice_str(""), &v->session, &rq->err);
	memcpy(v->secret, cookie.p, cookie.n);
	return session_find(app->db, rq->arena, digest_of(v), &v->session, &rq->err);
}

/* The person may see public pages only, and never read why: the administrator finds the name here. */
static void
log_refused(const struct request *rq, const char *name)
{
	struct log_line l;

	log_begin(&l, LOG_INFO, "sso");
	log_str(&l, "id", slice_str(rq->id));
	log_str(&l, "refused", slice_str(name));
	log_end(&l);
}

/* Whom the sign-on names, with the cookie that they have or, to look, with a new one. */
static int
begin_named(struct worker_app *app, struct request *rq, struct web_session *v, const char *name)
{
	bool looks = (rq->method & (METHOD_GET | METHOD_HEAD)) != 0;

	if (v->secret[0] == '\0' && !looks)
		return 0;
	if (session_name(app->db, rq->arena, name, &v->session, &rq->err) == -1) {
		if (rq->err.status == 403)
			log_refused(rq, name);
		return -1;
	}
	v->is_unopened = true;
	if (v->secret[0] != '\0')
		return 0;
	v->is_new = true;
	return secret_generate(v->secret, v->digest, &rq->err);
}

/* The cookie of no session, or of one that is over: a bad credential, which the browser is to forget. */
static int
refuse_cookie(struct worker_app *app, struct request *rq, struct web_session *v)
{
	OPENSSL_cleanse(v->secret, sizeof(v->secret));
	v->is_new = true;
	err_set(&rq->err, 403, "you are no longer signed in");
	if (!rq->is_again)
		(void)rate_limit_note_bad_credential(app, rq);
	if (rq->err.status == 429)
		return -1;
	err_clear(&rq->err);
	return 0;
}

int
web_session_begin(struct worker_app *app, struct request *rq, struct web_session *v)
{
	const char *name = app->settings->sso ? request_header(rq, "BERTH_SSO_USER") : NULL;

	if (db_connect(app->db, &rq->err) == -1 || find_session(app, rq, v) == -1)
		return -1;
	/* whom the sign-on does not name (any more) has no session of its making */
	if (v->session.by_sso && (name == NULL || strcasecmp(name, v->session.username) != 0)) {
		v->session = (struct session) { .username = "", .flags = v->session.flags };
		OPENSSL_cleanse(v->secret, sizeof(v->secret));
	}
	/* with single sign-on a visitor who only looks has a cookie without a session */
	if (v->secret[0] != '\0' && v->session.user_id == 0 && !app->settings->sso &&
	    refuse_cookie(app, rq, v) == -1)
		return -1;
	if (v->session.user_id == 0 && name != NULL && begin_named(app, rq, v, name) == -1)
		return -1;
	note_actor(rq, v);
	return 0;
}

int
web_session_find_viewer(struct worker_app *app, struct request *rq, struct web_session *v)
{
	if (web_session_begin(app, rq, v) == 0)
		return 0;
	if (rq->err.status != 403)
		return -1;
	err_clear(&rq->err);
	return 0;
}

int
web_session_read_form(struct worker_app *app, struct request *rq, struct params *form)
{
	const char *origin = request_header(rq, "HTTP_ORIGIN"), *ours = app->settings->external_url;
	size_t n = (size_t)(url_path(ours) - ours);

	/* every browser says once where a form comes from, without the path */
	if (request_header_count(rq, "HTTP_ORIGIN") != 1 || origin == NULL || strlen(origin) != n ||
	    strncasecmp(origin, ours, n) != 0)
		return err_set(&rq->err, 403, "this form was not sent by a page of the registry");
	return params_read(rq, form);
}

static int
open_named(struct worker_app *app, struct request *rq, struct web_session *v)
{
	struct session_proof proof = { .username = v->session.username };

	v->is_unopened = false;
	if (rate_limit_charge_user(app, rq, v->session.user_id) == -1)
		return -1;
	return open_session(app, rq, v, &proof);
}

int
web_session_begin_form(struct worker_app *app, struct request *rq, struct web_session *v, struct params *form)
{
	const char *given = "";

	if (web_session_read_form(app, rq, form) == -1 || web_session_begin(app, rq, v) == -1)
		return -1;
	if (v->session.user_id == 0)
		return err_set(&rq->err, 403, "you are no longer signed in");
	if (params_secret(form, "form", &given) == -1)
		return -1;
	if (!secret_form_matches(v->secret, v->session.user_id, given))
		return err_set(&rq->err, 403, "this form belongs to another session; reload the page");
	return v->is_unopened ? open_named(app, rq, v) : 0;
}

bool
web_session_is_open(const struct web_session *v)
{
	return v->session.user_id != 0 && !v->is_new && !v->is_unopened;
}

int
web_session_close(struct worker_app *app, struct request *rq, struct web_session *v)
{
	struct audit_actor actor = web_session_actor(v, rq);

	if (session_close(app->db, rq->arena, &actor, digest_of(v), &rq->err) == -1)
		return -1;
	OPENSSL_cleanse(v->secret, sizeof(v->secret));
	v->is_new = true;
	return 0;
}

void
web_session_put_policy(struct response *rs, bool has_images)
{
	response_header(rs, "Content-Security-Policy", has_images
	    ? "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; base-uri 'none'; "
	      "frame-ancestors 'none'"
	    : "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
	      "frame-ancestors 'none'");
	response_header(rs, "X-Frame-Options", "DENY");
	response_header(rs, "Cross-Origin-Opener-Policy", "same-origin");
}

/* Sets the cookie that is new, or takes it away where the secret is gone. */
static void
put_cookie(struct request *rq, struct response *rs, const struct web_session *v)
{
	if (v->is_new)
		response_header(rs, "Set-Cookie",
		    arena_printf(rq->arena,
		        "%s=%s; Path=%s/; Max-Age=%d; Secure; HttpOnly; SameSite=Lax", cookie_name(v),
		        v->secret, v->path, v->secret[0] != '\0' ? SESSION_SECONDS : 0));
}

void
web_session_forget(const struct worker_app *app, struct request *rq, struct response *rs)
{
	struct web_session *v = web_session_new(app, rq);

	v->is_new = true;
	put_cookie(rq, rs, v);
}

static void
put_headers(struct request *rq, struct response *rs, const struct web_session *v)
{
	response_header(rs, "Cache-Control", "no-store");
	web_session_put_policy(rs, false);
	/* no address, which may hold a link's code; with no-referrer a form would have no origin either */
	response_header(rs, "Referrer-Policy", "strict-origin");
	if (v != NULL)
		put_cookie(rq, rs, v);
}

int
web_session_respond(struct request *rq, struct response *rs, const struct web_session *v, int status,
    struct slice html)
{
	put_headers(rq, rs, v);
	response_body(rs, status, "text/html; charset=utf-8", html);
	return 0;
}

int
web_session_compress(struct request *rq, struct slice *body)
{
	struct gzip_writer *gzip = gzip_writer_new(rq->arena, &rq->err);

	if (gzip == NULL || gzip_writer_speed_up(gzip, &rq->err) == -1 ||
	    gzip_writer_add(gzip, *body, &rq->err) == -1)
		return -1;
	return gzip_writer_end(gzip, body, &rq->err);
}

int
web_session_show(struct request *rq, struct response *rs, const struct web_session *v, int status,
    struct slice html, bool has_images)
{
	bool is_signed_in = v->session.user_id != 0;

	/* an error may be over by the next request */
	response_header(rs, "Cache-Control", is_signed_in ? "no-store" : status >= 400 ? "private, no-store"
									     : "private, no-cache");
	/* a link to another site shall not tell it the name of a crate, nor of this host */
	response_header(rs, "Referrer-Policy", "same-origin");
	web_session_put_policy(rs, has_images);
	if (!is_signed_in) {
		put_cookie(rq, rs, v);
		response_header(rs, "Vary", "Accept-Encoding, Cookie");
		if (accept_gzip(request_header(rq, "HTTP_ACCEPT_ENCODING"))) {
			if (web_session_compress(rq, &html) == -1)
				return -1;
			response_header(rs, "Content-Encoding", "gzip");
		}
	}
	response_body(rs, status, "text/html; charset=utf-8", html);
	return 0;
}

int
web_session_redirect(const struct worker_app *app, struct request *rq, struct response *rs,
    const struct web_session *v, const char *path)
{
	put_headers(rq, rs, v);
	response_header(rs, "Location",
	    arena_printf(rq->arena, "%s%s", app->settings->external_url, path));
	response_body(rs, 303, "text/plain; charset=utf-8", slice_str(""));
	return 0;
}
