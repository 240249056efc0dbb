#ifndef STORE_PACKAGE_SEARCH_H
#define STORE_PACKAGE_SEARCH_H

/*
 * Finding crates of one project by name, keywords and description.  A crate of exactly that
 * name comes first, then those whose name begins so or that have all words in them: the better a crate
 * fits, and the more others use it, the sooner; where there is nothing of the kind, names that it is a
 * part of or a slip of the finger away from; where there is not even that, names that look alike.  No
 * more than 500 by name are ranked and counted, or with fewer of these, 500 by words as well, and of
 * those that are used most, who are among more: nobody reads so many.  Of those by words the first 100
 * places are ranked among the best 100 by a rougher measure.  Where a name begins with what is
 * looked for, its words are whole ones, but for the last.
 */

#include <stdbool.h>
#include <stdint.h>

#include "crate/search_query.h"
#include "store/db/db.h"

/* By name, and by words; as in the statements search_names and search_ranked. */
enum { SEARCH_FOUND_MAX = 500 };

/* One page of what is found. */
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
 * The same in the registry of a group, of which the caller may search n projects: crates whose name has
 * what is looked for, or that have its words, up to 500 of each; without a name the first 1000.  Of these,
 * those that the registry serves.  `ask` has no project.  -1: 503.
 */
int search_group(struct db *, struct arena *, const struct search_ask *, int64_t group_id,
    const int64_t *projects, size_t nprojects, struct search_hit **, size_t *n, int64_t *total, struct err *)
    __attribute__((warn_unused_result));

/*
 * Weighs some more crates, from the one after *after on, by who depends on them in their project and by
 * their downloads of 30 days.  *after: the last of them, or 0 when there are no more; *n: how many weights
 * have changed.  -1: 503.
 */
int search_weigh(struct db *, struct arena *, int64_t *after, int64_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
