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

/* `project` (number 1: the user's own), `new`, `used`; 12 of each at most.  user_id 0: nobody.  -1: 503. */
int page_rows_front(struct db *, struct arena *, int64_t user_id, struct page_rows *, struct err *)
    __attribute__((warn_unused_result));

struct page_range {
	int64_t limit, offset;
};

/* A search of all projects, and what it is narrowed by; without words, a list of all that is narrowed so. */
struct page_search_ask {
	const struct search_query *query; /* name "": no words; then it is narrowed by something */
	struct page_range range;
	const char *project, *keyword, *license; /* NULL: any; the full path, in lower case, as it was published */
	int64_t rust; /* the newest that a crate may say that it needs, as page_rust() has it; 0: whatever */
	int64_t yanked; /* versions: 1 some, 2 all; 0: whatever */
};

/* "1.70" or "1.70.1" as a number; 0: it is none. */
int64_t page_rust(const char *version);

/*
 * `crate`, `total` (at: 1 there may be others, which were not looked at), and by what else it can be
 * narrowed, 10 of each at most, number: how many are left then: `project`, and with a name `keyword`,
 * `license`, `rust` (that or earlier), `yanked` (some, all).  -1: 503.
 */
int page_rows_search(struct db *, struct arena *, int64_t user_id, const struct page_search_ask *,
    struct page_rows *, struct err *) __attribute__((warn_unused_result));

/* `crate`: whose names are a slip away from that one, in normal form.  -1: 503. */
int page_rows_alike(struct db *, struct arena *, int64_t user_id, const char *name, struct page_rows *,
    struct err *) __attribute__((warn_unused_result));

/* `project` (number: its crates), `member` (number: the level) if they are asked for, `total`.  -1: 503. */
int page_rows_group(struct db *, struct arena *, int64_t user_id, int64_t group_id, bool members,
    struct page_range, struct page_rows *, struct err *) __attribute__((warn_unused_result));

/*
 * `crate` and `member`, if they are asked for, `total`; without facts, since it was decided before.  -1: 503.
 */
int page_rows_project(struct db *, struct arena *, int64_t project_id, bool crates, bool members,
    struct page_range, struct page_rows *, struct err *) __attribute__((warn_unused_result));

/*
 * `entry`: what was published (number 0), yanked (an event) and put back (minus an event) in the project, or
 * of the crate of that normalized name if it is not NULL; the newest n.  `since`: when the project was made.
 * Without facts, since it was decided before.  -1: 503.
 */
int page_rows_feed(struct db *, struct arena *, int64_t project_id, const char *crate, int64_t n,
    struct page_rows *, struct err *) __attribute__((warn_unused_result));

#endif
