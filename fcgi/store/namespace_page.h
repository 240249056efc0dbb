#ifndef STORE_NAMESPACE_PAGE_H
#define STORE_NAMESPACE_PAGE_H

/*
 * The projects and the groups that a user, or nobody, may see, page by page, by path.  The cost of a page of
 * projects does not grow with the others; of groups it grows with the groups, not with their projects.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db/db.h"

enum { NAMESPACES_COUNTED_MAX = 10000 };

struct namespace_choice {
	int64_t group_id; /* what is in it; 0: every place */
	bool below; /* with what is in the groups below it; else, with 0, groups that are in no other */
	const char *part; /* of the full path, in any case; NULL: all */
	const char *visibility; /* of projects alone; NULL: any */
	int64_t least; /* the lowest level of the user there; 0: any, or none */
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

/* The page for the user of this token; 0: for nobody.  -1: 503. */
int namespace_page_projects(struct db *, struct arena *, int64_t token_id, const struct namespace_choice *,
    struct namespace_page *, struct err *) __attribute__((warn_unused_result));
int namespace_page_groups(struct db *, struct arena *, int64_t token_id, const struct namespace_choice *,
    struct namespace_page *, struct err *) __attribute__((warn_unused_result));

#endif
