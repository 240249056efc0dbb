#ifndef ADMIN_OPTIONS_H
#define ADMIN_OPTIONS_H

/*
 * The command line: `--name VALUE`, `--name=VALUE`, `-x VALUE`, flags, and
 * words, in any order; `--` ends the options.  Which options there are is data.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct option_def {
	/* without the dashes; one that is there twice may be given twice, values in that order */
	const char *name;
	char letter; /* its short form, 0: none */
	const char *value; /* what it takes, in capitals; NULL: a flag */
	bool required;
};

enum { OPTIONS_MAX = 12 };

struct option_set {
	const struct option_def *defs;
	size_t n;
	const char *values[OPTIONS_MAX]; /* NULL: not given; "" for a flag that was */
};

struct options {
	char **next; /* words that are left, up to NULL */
	bool ended; /* `--` was seen */
	struct option_set *sets[2]; /* the second may be NULL */
};

/* The next word that is no option, NULL at the end.  -1: 400. */
int options_next(struct options *, const char **word, struct err *)
    __attribute__((warn_unused_result));

/* -1: 400, naming an option that is required and was not given. */
int options_check(const struct option_set *, struct err *) __attribute__((warn_unused_result));

#endif
