#ifndef API_WEB_TOKEN_PAGE_H
#define API_WEB_TOKEN_PAGE_H

/*
 * `cargo login` sends people to this page, on which they sign in and manage their own tokens.  Plain HTML
 * and forms, no script.
 */

#include "call/call.h"

/* For all routes but the redirect: 404 where the token page is switched off. */
extern const struct route_policy token_page_policy;

/* GET R/me: 302 to the page.  Says nothing of the project: no token is needed. */
int token_page_redirect(struct call *, struct request *, struct response *);

/*
 * GET /-/tokens: 200 with the user's tokens, or with how to sign in.  This and the next two take `to`, the
 * page that the sign-in leads back to (api/web/way_back.h).
 */
int token_page_handle(struct call *, struct request *, struct response *);

/* POST /-/tokens: 200 with the new token, this once; 400 with the page and what is wrong. */
int token_page_create(struct call *, struct request *, struct response *);

/* POST /-/tokens/:token_id/revoke: 303 back.  404 for what is not the user's own. */
int token_page_revoke(struct call *, struct request *, struct response *);

/*
 * GET /-/sign-in: 200 with a form that asks for a code.  No address has a code: addresses end up
 * in logs, histories and bookmarks.
 */
int token_page_sign_in(struct call *, struct request *, struct response *);

/*
 * POST /-/sign-in: 200 with the user whom the code signs in and a button, so that nobody becomes somebody
 * else unawares; the code stays good.  With confirm=true, which the button sends: 303 to `to` or else to the
 * tokens, with a session.  403 with the form for a bad code.
 */
int token_page_sign_in_do(struct call *, struct request *, struct response *);

/* POST /-/sign-out: 303 to the page, without one. */
int token_page_sign_out(struct call *, struct request *, struct response *);

#endif
