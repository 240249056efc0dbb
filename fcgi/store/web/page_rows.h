#ifndef STORE_WEB_PAGE_ROWS_H
#define STORE_WEB_PAGE_ROWS_H

/*
 * The rows of a page that lists projects and crates.  One statement reads them all, in parts that have names,
 * and takes only what the viewer may know of; another one reads the facts of their projects, so that
 * access_decide() has the last word.
 */

#include <stddef.h>
#include <stdint.h>

#include "crate/search_query.h"
#include "store/db/db.h"
#include "store/token/access_facts.h"

struct page_row {
	struct access_facts facts; /* of its project; project_id 0: it has none, or that was decided before */
	const char *part;
	const char *name, *version, *about; /* NULL: not of this part */
	int64_t at; /* seconds since 1970; 0: not of this part */
	int64_t number;
};

struct page_rows {
	struct page_row *v;
	size_t n;
};

/* The rows of one part, which are together. */
struct page_rows page_rows_of(const struct page_rows *, const char *part);

/* The number of the only row of that part; 0: there is none. */
int64_t page_rows_number(const struct page_rows *, const char *part);

/* `project` (number 1: the user's own), `new`, `used`; n of each at most.  user_id 0: nobody.  -1: 503. */
int page_rows_front(struct db *, struct arena *, int64_t user_id, int64_t n, struct page_rows *, struct err *)
    __attribute__((warn_unused_result));

struct page_range {
	int64_t limit, offset;
};

/* `crate`, `facet` and `total`, of all projects or of that full path.  -1: 503. */
int page_rows_search(struct db *, struct arena *, int64_t user_id, const struct search_query *,
    const char *project, struct page_range, struct page_rows *, struct err *)
    __attribute__((warn_unused_result));

/* `project` (number: its crates), `member` (number: the level) if they are asked for, `total`.  -1: 503. */
int page_rows_group(struct db *, struct arena *, int64_t user_id, int64_t group_id, bool members,
    struct page_range, struct page_rows *, struct err *) __attribute__((warn_unused_result));

/*
 * `crate` and `member`, if they are asked for, `total`; without facts, since it was decided before.  -1: 503.
 */
int page_rows_project(struct db *, struct arena *, int64_t project_id, bool crates, bool members,
    struct page_range, struct page_rows *, struct err *) __attribute__((warn_unused_result));

#endif
