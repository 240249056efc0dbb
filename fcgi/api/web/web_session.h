#ifndef API_WEB_WEB_SESSION_H
#define API_WEB_WEB_SESSION_H

/*
 * Somebody with a browser at one of the pages: who it is, by the session's cookie or by the fleet's
 * sign-on, and whether a form is one of ours.  Tokens do not count here, and cookies nowhere else.
 *
 * The sign-on is a name in the FastCGI parameter BERTH_SSO_USER, which nginx sets and no client
 * can send, and which counts where `sso` is on.  With a name a page is shown to whoever has it, and
 * its cookie is a session from the first form on: who only looks, as monitoring does, leaves nothing.
 * Such a session is worth something only together with the same name.
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

/* One that lives as long as the request; what it holds is wiped then. */
struct web_session *web_session_new(const struct worker_app *, struct request *)
    __attribute__((returns_nonnull));

/*
 * Finds the visitor.  A user of single sign-on needs no session to look, but a cookie.  -1: 400
 * several headers with cookies, 403 the registry does not know the user, 503.
 */
int web_session_begin(struct worker_app *, struct request *, struct web_session *)
    __attribute__((warn_unused_result));

/*
 * The same for who reads: whom the sign-on names and the registry does not know is nobody here, and sees what
 * is public.  -1: 400, 503.
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

/* Ends it. */
int web_session_close(struct worker_app *, struct request *, struct web_session *)
    __attribute__((warn_unused_result));

/* The visitor, for audit rows. */
struct audit_actor web_session_actor(const struct web_session *, const struct request *);

/* 200, or another status, with a page, and whatever keeps it to itself. */
int web_session_respond(struct request *, struct response *, const struct web_session *, int status,
    struct slice html);

/*
 * The same with a page to read, which has no form and sets no cookie.  What nobody in particular may read
 * is compressed; with what only its viewer may read that would tell its content by its length.  -1: 500.
 */
int web_session_show(struct request *, struct response *, const struct web_session *, int status,
    struct slice html) __attribute__((warn_unused_result));

/* Says what a page may do: nothing but be read, show our style and icon, and send forms to us. */
void web_session_put_policy(struct response *);

/* Compresses what nobody in particular may read, in place.  -1: 500. */
int web_session_compress(struct request *, struct slice *) __attribute__((warn_unused_result));

/* 303 to a path of ours, after a form. */
int web_session_redirect(const struct worker_app *, struct request *, struct response *,
    const struct web_session *, const char *path);

#endif
