#include "crate/spdx.h"

#include <stdlib.h>

#include "base/scan.h"
#include "crate/spdx_ids.h"

/* Longer ones are nobody's, and each word costs a look into the list. */
enum { EXPRESSION_MAX = 1000 };

static bool
is_word(char c)
{
	return scan_is_alnum(c) || c == '-' || c == '.' || c == '+' || c == ':';
}

static struct slice
take_word(struct slice *in)
{
	struct slice word = slice_of(in->p, 0);

	while (word.n < in->n && is_word(in->p[word.n]))
		word.n++;
	scan_skip(in, word.n);
	return word;
}

static int
compare_id(const void *key, const void *element)
{
	const struct slice *word = key;
	const char *id = *(const char *const *)element;
	int order = strncmp(word->p, id, word->n);

	return order != 0 ? order : -(id[word->n] != '\0');
}

static bool
is_exception(struct slice word)
{
	return bsearch(&word, spdx_exceptions, spdx_nexceptions, sizeof(*spdx_exceptions), compare_id) !=
	    NULL;
}

/* "LicenseRef-x", "DocumentRef-x:LicenseRef-y": licences that an author describes. */
static bool
is_reference(struct slice word)
{
	const char *colon = memchr(word.p, ':', word.n);
	struct slice license = word;

	if (colon != NULL) {
		license = slice_of(colon + 1, (size_t)(word.p + word.n - colon - 1));
		if (!slice_has_prefix(word, "DocumentRef-") || colon == word.p + strlen("DocumentRef-"))
			return false;
	}
	return slice_has_prefix(license, "LicenseRef-") && license.n > strlen("LicenseRef-") &&
	    memchr(license.p, '+', license.n) == NULL && memchr(license.p, ':', license.n) == NULL;
}

static bool
is_license(struct slice word)
{
	if (word.n == 0)
		return false;
	if (is_reference(word))
		return true;
	if (word.p[word.n - 1] == '+')
		word.n--;
	return bsearch(&word, spdx_licenses, spdx_nlicenses, sizeof(*spdx_licenses), compare_id) != NULL;
}

/* A licence, perhaps with an exception. */
static bool
take_license(struct slice *in)
{
	struct slice rest, word = take_word(in);

	if (!is_license(word))
		return false;
	rest = *in;
	scan_blanks(&rest);
	if (!slice_is(take_word(&rest), "WITH"))
		return true;
	scan_blanks(&rest);
	if (!is_exception(take_word(&rest)))
		return false;
	*in = rest;
	return true;
}

static bool
take_operator(struct slice *in)
{
	struct slice word;

	if (scan_char(in, '/'))
		return true;
	word = take_word(in);
	return slice_is(word, "AND") || slice_is(word, "OR");
}

bool
spdx_knows(struct slice in)
{
	bool expected = true; /* a licence, not an operator */
	int depth = 0;

	if (in.n > EXPRESSION_MAX)
		return false;
	for (scan_blanks(&in); in.n > 0; scan_blanks(&in)) {
		if (scan_char(&in, expected ? '(' : ')')) {
			depth += expected ? 1 : -1;
			if (depth < 0)
				return false;
			continue;
		}
		if (expected ? !take_license(&in) : !take_operator(&in))
			return false;
		expected = !expected;
	}
	return !expected && depth == 0;
}
