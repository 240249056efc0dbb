#include "access/token_limits.h"

#include <assert.h>
#include <stdio.h>

#include "crate/crate_name.h"

const char *const token_operation_names[TOKEN_NOPERATIONS] = {
	"publish-new",
	"publish-update",
	"yank",
	"owners",
};

/* Takes the next part from a comma-separated list; false at its end. */
static bool
next_part(const char **list, struct slice *part)
{
	if (**list == '\0')
		return false;
	*part = slice_of(*list, strcspn(*list, ","));
	*list += part->n + ((*list)[part->n] == ',');
	return true;
}

unsigned
token_operations_parse(const char *names)
{
	unsigned operations = 0;
	struct slice name;

	if (names == NULL)
		return TOKEN_ANY_OPERATION;
	while (next_part(&names, &name)) {
		for (unsigned i = 0; i < TOKEN_NOPERATIONS; i++) {
			if (slice_is(name, token_operation_names[i]))
				operations |= 1U << i;
		}
	}
	return operations;
}

static bool
has_star(struct slice pattern)
{
	return pattern.n > 0 && pattern.p[pattern.n - 1] == '*';
}

bool
token_pattern_valid(struct slice pattern)
{
	struct err wrong;

	if (has_star(pattern))
		pattern.n--;
	else if (pattern.n == 0)
		return false;
	/* `*` alone is every crate; the beginning of a name must be a valid name itself */
	return pattern.n == 0 || crate_name_check(pattern, "crate", &wrong) == 0;
}

static bool
matches(struct slice pattern, struct slice crate)
{
	if (!has_star(pattern))
		return crate_name_equal(pattern, crate);
	pattern.n--;
	return pattern.n <= crate.n && crate_name_equal(pattern, slice_of(crate.p, pattern.n));
}

bool
token_limits_any(const struct token_limits *limits)
{
	return limits->operations != TOKEN_ANY_OPERATION || limits->crates != NULL;
}

#define REFUSED "this token does not have the required permissions to perform this action: "

int
token_limits_refuse(unsigned operations, struct err *err)
{
	char names[64] = "";
	size_t n = 0;

	for (unsigned i = 0; i < TOKEN_NOPERATIONS; i++) {
		if ((operations & 1U << i) != 0)
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s`%s`",
			    n > 0 ? " or " : "", token_operation_names[i]);
		assert(n < sizeof(names));
	}
	if (n == 0)
		return err_set(err, 403, REFUSED
		    "it needs a token without limits");
	return err_set(err, 403, REFUSED "it lacks the operation %s", names);
}

int
token_limits_check_crate(const struct token_limits *limits, const char *crate, struct err *err)
{
	const char *patterns = limits->crates;
	struct slice pattern;

	if (patterns == NULL)
		return 0;
	while (next_part(&patterns, &pattern)) {
		if (matches(pattern, slice_str(crate)))
			return 0;
	}
	return err_set(err, 403, REFUSED "it does not cover the crate `%s`, only `%s`", crate,
	    limits->crates);
}

int
token_limits_check(const struct token_limits *limits, enum token_operation operation,
    const char *crate, struct err *err)
{
	if ((limits->operations & operation) == 0)
		return token_limits_refuse(operation, err);
	return token_limits_check_crate(limits, crate, err);
}
