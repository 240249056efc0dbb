#ifndef ACCESS_TOKEN_LIMITS_H
#define ACCESS_TOKEN_LIMITS_H

/*
 * The limits of a user's own token beyond its scopes: some operations, some crates.
 * { TOKEN_ANY_OPERATION, NULL } is no limit.  Patterns match the name that the crate
 * has in the database, in its normal form, never the spelling of a request.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"

enum token_operation {
	TOKEN_PUBLISH_NEW = 1 << 0, /* the first version of a crate */
	TOKEN_PUBLISH_UPDATE = 1 << 1, /* a further version of a crate */
	TOKEN_YANK = 1 << 2, /* and unyank */
	TOKEN_OWNERS = 1 << 3,
	TOKEN_ANY_OPERATION = (1 << 4) - 1
};

enum { TOKEN_NOPERATIONS = 4 };

/* "publish-new" is the first: as in the database, by the number of the bit. */
extern const char *const token_operation_names[TOKEN_NOPERATIONS];

struct token_limits {
	unsigned operations; /* TOKEN_*, or-ed */
	const char *crates; /* patterns in normal form with commas between; NULL: every crate */
};

/* The operations of a comma-separated list of names; NULL: all.  Unknown names count for nothing. */
unsigned token_operations_parse(const char *names);

/* A crate's name or the beginning of one with a `*` behind it, in any spelling. */
bool token_pattern_valid(struct slice pattern);

/*
 * May the token do this (one TOKEN_* bit) to the crate of that name, as the database has it or will
 * have it?  -1: 403, which names what the token lacks.
 */
int token_limits_check(const struct token_limits *, enum token_operation, const char *crate,
    struct err *) __attribute__((warn_unused_result));

/* Is there any limit at all? */
bool token_limits_any(const struct token_limits *);

/* Checks the crates only: may the token change the crate of that name?  -1: 403. */
int token_limits_check_crate(const struct token_limits *, const char *crate, struct err *)
    __attribute__((warn_unused_result));

/*
 * Sets the refusal, for callers that know it earlier, with the right that the token lacks: one of these
 * operations (TOKEN_*, or-ed); 0: it must be without limits.  Returns -1 with 403.
 */
int token_limits_refuse(unsigned operations, struct err *);

#endif
