#ifndef API_TOKEN_PAGE_H
#define API_TOKEN_PAGE_H

/* Where `cargo login` sends people: how to come by a token. */

#include "api/app.h"

/* GET R/me: 302 to the page below.  Says nothing of the project: no token is needed. */
int token_page_redirect(struct worker_app *, struct request *, struct response *);

/* GET /-/tokens: 200, plain text. */
int token_page_handle(struct worker_app *, struct request *, struct response *);

#endif
