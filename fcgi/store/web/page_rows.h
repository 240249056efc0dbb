#ifndef STORE_WEB_PAGE_ROWS_H
#define STORE_WEB_PAGE_ROWS_H

/*
 * Reads the rows of a page that lists projects and crates.  One statement reads all rows, in named parts,
 * and selects only what the viewer may know of; it can ask a replica.  page_rows_facts() asks the primary for
 * the facts of their projects, so that access_decide() has the last word.
 */

#include <stddef.h>
#include <stdint.h>

#include "crate/search_query.h"
#include "store/db/db.h"
#include "store/token/access_facts.h"

struct page_row {
	struct access_facts facts; /* of its project: only the id before page_rows_facts(); 0: it has none */
	const char *part;
	const char *name, *version, *about; /* NULL: not of this part */
	int64_t at; /* seconds since 1970; 0: not of this part */
	int64_t number;
};

/* `number` of a row of a crate, except in the feed: the marks of the version. */
enum { PAGE_ROW_YANKED = 1, PAGE_ROW_DEPRECATED = 2 /* only `new` has it */ };

/* `number` of a row of the feed: what has happened, and KINDS times the number of the event, or 0. */
enum page_feed_kind {
	PAGE_FEED_PUBLISH,
	PAGE_FEED_UNTIMED, /* the time is that of an import, since its source has none */
	PAGE_FEED_YANK,
	PAGE_FEED_UNYANK,
	PAGE_FEED_KINDS
};

struct page_rows {
	struct page_row *v;
	size_t n;
};

/* The rows of one part. */
struct page_rows page_rows_of(const struct page_rows *, const char *part);

/* The number of the only row of that part; 0: there is none. */
int64_t page_rows_number(const struct page_rows *, const char *part);

/* Reads the facts of the viewer in the projects of all rows.  -1: 503. */
int page_rows_facts(struct db *, struct arena *, int64_t user_id, struct page_rows *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Parts: `project` (number 1: the user's own), `new`, without those of mirrors, `used`; at most 12 rows of
 * each.  user_id 0: anonymous.  mirror_url: of projects that have no value of their own; "": they are no
 * mirrors.  -1: 503.
 */
int page_rows_front(struct db *, struct arena *, int64_t user_id, const char *mirror_url, struct page_rows *,
    struct err *) __attribute__((warn_unused_result));

struct page_range {
	int64_t limit, offset;
};

/* A search in all projects, with words, with filters, or with both. */
struct page_search_ask {
	const struct search_query *query; /* name "": no words; then it must have a filter */
	struct page_range range;
	const char *project, *keyword; /* NULL: any; the full path, in lower case */
	const char *license; /* NULL: any; one that the expression of the crate names, or the whole expression */
	int64_t rust; /* the newest rust-version that a crate may need, as page_rust() has it; 0: any */
	int64_t yanked; /* yanked versions: 1 some, 2 all; 0: any */
};

/* "1.70" or "1.70.1" as a number; 0: the text is no such version. */
int64_t page_rust(const char *version);

/*
 * Parts: `crate`; `total` (at 1: the search has not read all crates, and more may match); and the filters
 * that the viewer can add, at most 10 of each, with the number of crates that then match: `project`,
 * `keyword`, `license`, `rust` (this version or an earlier one), `yanked` (some, all).  -1: 503.
 */
int page_rows_search(struct db *, struct arena *, int64_t user_id, const struct page_search_ask *,
    struct page_rows *, struct err *) __attribute__((warn_unused_result));

/*
 * Part: `crate`, the crates whose names are one typing error away from that name, which is in normal form.
 * -1: 503.
 */
int page_rows_alike(struct db *, struct arena *, int64_t user_id, const char *name, struct page_rows *,
    struct err *) __attribute__((warn_unused_result));

/* Parts: `project`, by path (number: its crates), and `total`.  -1: 503. */
int page_rows_projects(struct db *, struct arena *, int64_t user_id, struct page_range, struct page_rows *,
    struct err *) __attribute__((warn_unused_result));

/*
 * The same of one group, and further parts: `member` (number: the level) if `members` is true, and `default`,
 * the project that new crates go to, if the group has one.  -1: 503.
 */
int page_rows_group(struct db *, struct arena *, int64_t user_id, int64_t group_id, bool members,
    struct page_range, struct page_rows *, struct err *) __attribute__((warn_unused_result));

/*
 * Parts: `crate` and `member`, if they are asked for, `total`, `group`, the highest group above that is set
 * up as a registry (name: its path; number: its id; project: the one that new crates go to, or 0), and
 * `mirror`, if the project has a mirror_url of its own (name).  The rows have no facts, since the caller has
 * decided.  -1: 503.
 */
int page_rows_project(struct db *, struct arena *, int64_t project_id, bool crates, bool members,
    struct page_range, struct page_rows *, struct err *) __attribute__((warn_unused_result));

/*
 * Parts: `entry`: the newest n publishes, yanks and unyanks in the project, or of the crate with that
 * normalized name if it is not NULL (number: enum page_feed_kind).  `since`: when the project was made.  The
 * rows have no facts, since the caller has decided.  -1: 503.
 */
int page_rows_feed(struct db *, struct arena *, int64_t project_id, const char *crate, int64_t n,
    struct page_rows *, struct err *) __attribute__((warn_unused_result));

#endif
