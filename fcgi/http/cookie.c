#include "http/cookie.h"

#include <stdbool.h>
#include <string.h>

/* Takes the next pair off the header; false at its end. */
static bool
next_pair(const char **header, struct slice *pair)
{
	*header += strspn(*header, "; ");
	*pair = slice_of(*header, strcspn(*header, ";"));
	*header += pair->n;
	return pair->n > 0;
}

struct slice
cookie_find(const char *header, const char *name)
{
	size_t n = strlen(name);
	struct slice found = slice_of("", 0), pair;
	int times = 0;

	while (header != NULL && next_pair(&header, &pair)) {
		if (pair.n <= n || memcmp(pair.p, name, n) != 0 || pair.p[n] != '=')
			continue;
		found = slice_of(pair.p + n + 1, pair.n - n - 1);
		times++;
	}
	/* of two, which a browser does not send by itself, neither can be trusted to be ours */
	return times == 1 ? found : slice_of("", 0);
}
