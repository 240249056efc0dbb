#ifndef API_WEB_TOKEN_HTML_H
#define API_WEB_TOKEN_HTML_H

/*
 * The pages of the token page, as HTML.  All of them are side by side below /-/, so their links are
 * relative, and the same below a path of a host.
 */

#include <stddef.h>

#include "api/web/web_session.h"
#include "auth/token_form.h"
#include "base/buf.h"
#include "store/token/token.h"

enum { TOKEN_HTML_MAX = 4 << 20 };

struct token_page {
	const struct web_session *session;
	const struct token_entry *tokens;
	size_t ntokens;
	const struct token_form *form; /* what to show in the form */
	const char *wrong; /* with the form, or NULL */
	const char *made; /* the text of a new token, or NULL */
};

void token_html_page(struct buf *, const struct token_page *);

/* How to sign in. */
void token_html_signed_out(struct buf *, bool sso);

/* Writes a form that asks for a code.  wrong: why the last code was refused, or NULL. */
void token_html_ask_code(struct buf *, const char *wrong);

/* Writes whom the code signs in, and a button that uses the code up. */
void token_html_sign_in(struct buf *, const char *code, const char *username);

extern const char token_html_style[];

#endif
