#ifndef ACCESS_TOKEN_WORDS_H
#define ACCESS_TOKEN_WORDS_H

/* Checks the comma-separated lists and the numbers that a caller wants for a new token or an allow-list. */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* A list whose words must be in a table. */
struct token_words {
	const char *what; /* "scope": one of them */
	const char *whose; /* "a user's token": what has them */
	const char *const *words;
	size_t n;
};

extern const struct token_words token_words_personal; /* scopes, as the next one */
extern const struct token_words token_words_deploy;
extern const struct token_words token_words_operations;
extern const struct token_words token_words_policies;

/* The words of the list, each once, in the order of the table, with commas.  -1: 400. */
int token_words_parse(struct arena *, const struct token_words *, const char *list,
    const char **out, struct err *) __attribute__((warn_unused_result));

/* Patterns of names of crates, in normal form, with commas.  -1: 400. */
int token_words_crates(struct arena *, const char *list, const char **out, struct err *)
    __attribute__((warn_unused_result));

/* A number from 1 to max, without a sign.  -1: 400. */
int token_words_number(const char *option, const char *text, int64_t max, int64_t *out,
    struct err *) __attribute__((warn_unused_result));

#endif
