#ifndef AUTH_TOKEN_FORM_H
#define AUTH_TOKEN_FORM_H

/* The form in which a person asks for a token: its fields, and their checks. */

#include "call/params.h"
#include "store/token/token.h"

struct token_form {
	/* the text of the field, to be shown again; never NULL */
	const char *name;
	const char *scope;
	const char *expires;
	const char *crates;
	const char *operations; /* with commas */
};

/* Reads the fields.  -1: 400 for what no browser sends. */
int token_form_read(struct params *, struct token_form *) __attribute__((warn_unused_result));

/* Checks the fields, and fills the token in.  -1: 400, with a sentence for the person. */
int token_form_check(struct arena *, const struct token_form *, int64_t now, struct token_new *,
    struct err *) __attribute__((warn_unused_result));

/*
 * Refuses the parameters by which some route limits a token, but for those that this route reads; `reads`
 * ends with NULL.  -1: 400 the request has one: the client would get more than it asks for.
 */
int token_form_refuse_limits(struct params *, const char *const *reads) __attribute__((warn_unused_result));

#endif
