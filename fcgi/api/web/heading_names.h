#ifndef API_WEB_HEADING_NAMES_H
#define API_WEB_HEADING_NAMES_H

/*
 * The names of the headings of a README, for links such as [Usage](#usage).  They are made as GitHub makes
 * them: authors try their links there.
 */

#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

enum { HEADING_NAMES_MAX = 200 }; /* later headings have none, so that the time stays bounded */

struct heading_names {
	struct {
		const char *base; /* the name without a number */
		const char *name; /* "": it has none */
	} v[HEADING_NAMES_MAX];
	size_t n;
};

/* Names the next heading, which has that text.  There are fewer than HEADING_NAMES_MAX. */
void heading_names_add(struct arena *, struct heading_names *, struct slice text);

/* Returns which heading has that name, or heading_names.n: none has it.  Most letters match in any case. */
size_t heading_names_find(struct arena *, const struct heading_names *, struct slice name);

#endif
