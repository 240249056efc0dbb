#ifndef STORE_NAMESPACE_PAGE_H
#define STORE_NAMESPACE_PAGE_H

/*
 * Lists the projects or the groups that a user, or an anonymous caller, may see, page by page, by path.
 * The cost of a page of projects does not grow with the number of all projects; the cost of a page of
 * groups grows with the number of groups, not of projects.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db/db.h"

enum { NAMESPACES_COUNTED_MAX = 10000 };

struct namespace_choice {
	int64_t group_id; /* only inside this group; 0: everywhere */
	bool below; /* also in the groups below it; false with 0: only groups at the top */
	const char *part; /* of the full path, in any case; NULL: all */
	const char *visibility; /* of projects alone; NULL: any */
	int64_t least; /* the lowest level of the user in it; 0: no level is needed */
	const int64_t *skipped; /* ids of groups that are left out; of groups alone */
	size_t nskipped;
	bool descending;
	int64_t limit, offset;
};

struct namespace_page {
	int64_t *ids;
	size_t n;
	int64_t total; /* in all pages; NAMESPACES_COUNTED_MAX + 1: too many to count */
};

/* The page for the user of this token; 0: for an anonymous caller.  -1: 503. */
int namespace_page_projects(struct db *, struct arena *, int64_t token_id, const struct namespace_choice *,
    struct namespace_page *, struct err *) __attribute__((warn_unused_result));
int namespace_page_groups(struct db *, struct arena *, int64_t token_id, const struct namespace_choice *,
    struct namespace_page *, struct err *) __attribute__((warn_unused_result));

#endif
