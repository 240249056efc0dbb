#ifndef TRANSFER_IMPORT_PAGES_H
#define TRANSFER_IMPORT_PAGES_H

/*
 * The names of all crates of another registry, from the pages of its search (Cargo reference, "Web API",
 * Search).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"

enum { IMPORT_PAGES_CRATES_MAX = 1000000 };

struct import_pages {
	struct arena *arena; /* the caller's, of the names */
	struct strings names;
	size_t room, first; /* of the names; where those of the page before begin */
	int64_t total; /* that the last page told; -1: there was no page */
	bool moved; /* a page had another total than the one before: names may have been skipped */
};

/* Begins with the first page, again if need be. */
void import_pages_begin(struct import_pages *);

/*
 * Adds the names of the next page.  *more: another one may follow.  `piece` is for what is needed meanwhile.
 * -1: 400, the page is wrong.
 */
int import_pages_take(struct import_pages *, struct arena *piece, struct slice page, bool *more, struct err *)
    __attribute__((warn_unused_result));

#endif
