#ifndef STORE_PACKAGE_SEARCH_H
#define STORE_PACKAGE_SEARCH_H

/*
 * Finds crates of one project by name, keywords and description.  A crate of exactly that name comes first.
 * Then come crates whose name begins with the query, or that have all its words: the better a crate fits,
 * and the more others use it, the earlier.  If there are none, it finds names that include the query or
 * differ from it by one typing error; if there are none either, similar names.  It ranks and counts at most
 * 500 crates by name, and if there are fewer, also at most 500 by words, those that are used most.  Of the
 * matches by words, a rougher measure selects the best 100, and only these are ranked exactly.  If a name
 * begins with the query, all words but the last must match as whole words.
 */

#include <stdbool.h>
#include <stdint.h>

#include "crate/search_query.h"
#include "store/db/db.h"

/* By name, and by words; as in the statements search_names and search_ranked. */
enum { SEARCH_FOUND_MAX = 500 };

/* A query, and the page of its result. */
struct search_ask {
	int64_t project_id;
	const struct search_query *query;
	int64_t limit;
	int64_t offset;
};

struct search_hit {
	const char *name;
	const char *max_version;
	const char *description; /* its first 1000 characters; NULL: none */
};

/*
 * One page, and in *total how many there are in all pages.  Without a name in the query it is
 * all crates of the project, by name.  -1: 503.
 */
int search_crates(struct db *, struct arena *, const struct search_ask *, struct search_hit **,
    size_t *n, int64_t *total, struct err *) __attribute__((warn_unused_result));

/*
 * The same in the registry of a group, of which the caller may search n projects.  It finds up to 500
 * crates whose name includes the query, and up to 500 that have its words, or without a query the first
 * 1000; of these it keeps the crates that the registry serves.  `ask` has no project.  -1: 503.
 */
int search_group(struct db *, struct arena *, const struct search_ask *, int64_t group_id,
    const int64_t *projects, size_t nprojects, struct search_hit **, size_t *n, int64_t *total, struct err *)
    __attribute__((warn_unused_result));

/*
 * Computes the weights of some more crates, from the one after *after on, by the crates of their project
 * that depend on them and by their downloads of 30 days.  *after: the last of them, or 0 when there are no
 * more; *n: how many weights have changed.  -1: 503.
 */
int search_weigh(struct db *, struct arena *, int64_t *after, int64_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
