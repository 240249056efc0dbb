#ifndef CRATE_INSPECT_LINE_DIFF_H
#define CRATE_INSPECT_LINE_DIFF_H

/*
 * The lines by which two texts differ (E. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986).
 * Lines that only one of the texts has are set aside first: they are no part of the search, which is over the
 * order of the others.  The search is bounded: where it takes more steps than are left, or the order of more
 * than LINE_DIFF_EDITS_MAX lines has changed, all lines between the first and the last that differ count as
 * replaced.  That is a longer answer than need be, and never a wrong one.
 *
 * Lines are sorted and not hashed, so that nobody can choose lines that take long.
 *
 * Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

enum { LINE_DIFF_EDITS_MAX = 1000 };

/* The lines of a text, each with its line feed; the last may have none. */
struct lines {
	struct slice *v;
	size_t n;
	bool *differs; /* of each line: it is not in the other text, or not there in this order */
};

/* Takes a text apart.  The lines borrow from it. */
struct lines lines_of(struct arena *, struct slice text);

/*
 * Sets `differs` of both.  The lines of each that do not differ are the same, one after the other.  Takes
 * from *steps what the search needs; its memory is in the arena.
 */
void line_diff(struct arena *, struct lines *old, struct lines *new, size_t *steps);

#endif
