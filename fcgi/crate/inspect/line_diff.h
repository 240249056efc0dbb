#ifndef CRATE_INSPECT_LINE_DIFF_H
#define CRATE_INSPECT_LINE_DIFF_H

/*
 * Finds the lines in which two texts differ (E.  Myers, "An O(ND) Difference Algorithm and Its Variations",
 * 1986).  Lines that only one of the texts has are set aside first; the search compares only the order of
 * the others.  The search is bounded: where it takes more steps than are left, or the order of more than
 * LINE_DIFF_EDITS_MAX lines has changed, all lines between the first and the last that differ count as
 * replaced.  Such an answer is longer than necessary, but never wrong.
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
	bool *differs; /* of each line: the other text lacks it, or has it in another order */
};

/* Splits a text into lines, which borrow from it. */
struct lines lines_of(struct arena *, struct slice text);

/*
 * Sets `differs` in both.  The lines that do not differ are the same in both texts, in the same order.  It
 * takes the steps of its search from *steps; its memory is in the arena.
 */
void line_diff(struct arena *, struct lines *old, struct lines *new, size_t *steps);

#endif
