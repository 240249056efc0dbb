#ifndef API_WEB_PAGE_H
#define API_WEB_PAGE_H

/*
 * What all pages have in common: who looks, what is around their content (html/layout.html), and the answer.
 */

#include "access/secret.h"
#include "api/web/web_session.h"

enum { PAGE_HTML_MAX = 4 << 20 };

struct page {
	const char *title;
	const char *root; /* the path of external_url */
	const char *username; /* ""; nobody is signed in */
	char form[SECRET_FORM_SIZE]; /* what makes a form one of this session's; "": no page for forms */
};

/* A page for whoever has the session, which may be NULL. */
void page_init(struct page *, const struct worker_app *, const struct web_session *, const char *title);

/* The same with forms, of a session that has a user. */
void page_init_forms(struct page *, const struct worker_app *, const struct web_session *, const char *title);

/* Answers with the HTML.  -1: 500 it is longer than PAGE_HTML_MAX. */
int page_respond(struct request *, struct response *, const struct web_session *, int status,
    const struct buf *) __attribute__((warn_unused_result));

#endif
