#ifndef API_WEB_TOKEN_HTML_H
#define API_WEB_TOKEN_HTML_H

/* The data of the token page, for html/token.html. */

#include <stddef.h>

#include "auth/token_form.h"
#include "store/token/token.h"

struct token_page {
	const struct token_entry *tokens;
	size_t ntokens;
	const struct token_form *form; /* what to show in the form */
	const char *wrong; /* with the form, or NULL */
	const char *made; /* the text of a new token, or NULL */
};

#endif
