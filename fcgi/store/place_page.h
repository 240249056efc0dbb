#ifndef STORE_PROJECT_PAGE_H
#define STORE_PROJECT_PAGE_H

/* The projects that a user, or nobody, may see, page by page.  The cost does not grow with the others. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db.h"

enum { PROJECTS_COUNTED_MAX = 10000 };

struct project_choice {
	int64_t group_id; /* 0: every project */
	bool below; /* with those of the groups below it */
	const char *part; /* of the full path, in any case; NULL: all */
	const char *visibility;
	int64_t least; /* the lowest level of the user there; 0: any, or none */
	bool descending; /* by path */
	int64_t limit, offset;
};

struct project_page {
	int64_t *ids;
	size_t n;
	int64_t total; /* in all pages; PROJECTS_COUNTED_MAX + 1: too many to count */
};

/* The page for the user of this token; 0: for nobody.  -1: 503. */
int project_page_read(struct db *, struct arena *, int64_t token_id, const struct project_choice *,
    struct project_page *, struct err *) __attribute__((warn_unused_result));

#endif
