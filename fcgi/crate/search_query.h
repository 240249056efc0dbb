#ifndef CRATE_SEARCH_QUERY_H
#define CRATE_SEARCH_QUERY_H

/* Splits a search query into words, with blanks between them, or `+`, which cargo puts there. */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	SEARCH_QUERY_MAX = 255, /* characters */
	SEARCH_QUERY_WORDS_MAX = 16 /* words after them are ignored */
};

/* -1: 400 the query is too long: the time of a search for names that are like it grows with its square. */
int search_query_check(struct slice text, struct err *) __attribute__((warn_unused_result));

struct search_query {
	const char *name; /* the query as a crate's name in normal form: "foo-bar"; "": it is empty */
	/* the same where it stands inside names, as LIKE takes it; NULL: too few letters for that */
	const char *like;
	/* for to_tsquery('simple'): words in quotes, the longer ones as beginnings of words; or "" */
	const char *words;
	const char *begun; /* the same, where only the last may be the beginning of one */
	const char *text; /* the words with blanks between */
};

/* Splits any text without NUL. */
void search_query_parse(struct arena *, struct slice text, struct search_query *);

#endif
