#ifndef API_WEB_WEB_SESSION_H
#define API_WEB_WEB_SESSION_H

/*
 * The visitor of a page, whom the cookie of a session or single sign-on identifies, and the check that a
 * form is one of ours.  Only pages use cookies, and they do not use tokens.
 *
 * Single sign-on gives a name in the FastCGI parameter BERTH_SSO_USER, which nginx sets and no client can
 * send; Berth reads it only where `sso` is on.  With a name a visitor sees the page at once, and the cookie
 * becomes a session with the first form, so that visitors who only read leave no session.  Such a session
 * is valid only together with the same name.
 */

#include "access/secret.h"
#include "call/app.h"
#include "call/params.h"
#include "store/token/session.h"

struct web_session {
	struct session session; /* user_id 0: nobody is signed in */
	const char *path; /* of external_url */
	char secret[SECRET_TEXT_SIZE]; /* of the session */
	unsigned char digest[SECRET_DIGEST_SIZE];
	bool is_new; /* the cookie has yet to be set */
	bool is_unopened; /* there is a cookie, and a name, but no session yet */
};

/* A new one, which lives as long as the request and is wiped at its end. */
struct web_session *web_session_new(const struct worker_app *, struct request *)
    __attribute__((returns_nonnull));

/*
 * Finds the visitor.  A user of single sign-on needs no session to look, but a cookie.  Without single
 * sign-on the cookie of no session counts as a bad credential (auth/rate_limit.h), and the page takes it
 * away.  -1: 400 several headers with cookies, 403 the registry does not know the user, 429 too many bad
 * credentials, 503.
 */
int web_session_begin(struct worker_app *, struct request *, struct web_session *)
    __attribute__((warn_unused_result));

/*
 * The same for a page to read.  A name that the registry does not know is no error here: that visitor is
 * anonymous and sees what is public.  -1: 400, 429, 503.
 */
int web_session_find_viewer(struct worker_app *, struct request *, struct web_session *)
    __attribute__((warn_unused_result));

/*
 * The same for a form that was sent: reads it, and makes sure that it comes from our page, of this
 * very session, which is opened now at the latest.  -1: 403 otherwise, or where nobody is signed in, 400,
 * 503.
 */
int web_session_begin_form(struct worker_app *, struct request *, struct web_session *, struct params *)
    __attribute__((warn_unused_result));

/* Reads a form that needs no session yet, from a page of ours.  -1: 400, 403. */
int web_session_read_form(struct worker_app *, struct request *, struct params *)
    __attribute__((warn_unused_result));

/* Opens a session by a link.  -1: 403, 503. */
int web_session_open(struct worker_app *, struct request *, struct web_session *,
    const struct session_proof *)
    __attribute__((warn_unused_result));

/* Is there a session, and its cookie?  If so, a page that gives no cookie may have a form. */
bool web_session_is_open(const struct web_session *);

/* Ends it. */
int web_session_close(struct worker_app *, struct request *, struct web_session *)
    __attribute__((warn_unused_result));

/* The visitor, for audit rows. */
struct audit_actor web_session_actor(const struct web_session *, const struct request *);

/* Answers with a page, and with the headers that forbid others to cache or embed it. */
int web_session_respond(struct request *, struct response *, const struct web_session *, int status,
    struct slice html);

/*
 * The same for a page to read, which gives no cookie, and has no form but the one to sign out.  It compresses
 * a page that anyone may read, and no other, because the length of a compressed private page would reveal its
 * content.  If `has_images`, the browser may load images of other web servers.  -1: 500.
 */
int web_session_show(struct request *, struct response *, const struct web_session *, int status,
    struct slice html, bool has_images) __attribute__((warn_unused_result));

/*
 * Sets the Content-Security-Policy: a page may only show our style and icon, with `has_images` also images of
 * other web servers by https, and send forms to us.
 */
void web_session_put_policy(struct response *, bool has_images);

/* Takes the cookie away with an answer that is made without the session, such as an error. */
void web_session_forget(const struct worker_app *, struct request *, struct response *);

/* Compresses a page that anyone may read, in place.  -1: 500. */
int web_session_compress(struct request *, struct slice *) __attribute__((warn_unused_result));

/* 303 to a path of ours, after a form or a sign-on. */
int web_session_redirect(const struct worker_app *, struct request *, struct response *,
    const struct web_session *, const char *path);

#endif
