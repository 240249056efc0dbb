#ifndef CRATE_INSPECT_DIFF_HUNKS_H
#define CRATE_INSPECT_DIFF_HUNKS_H

/*
 * Writes the lines in which two texts differ, with some lines around them, in the format of
 * crate/inspect/diff_text.h.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
	DIFF_HUNKS_LINES_MAX = 10000, /* of a text that is compared */
	DIFF_HUNKS_BYTES_MAX = 64 << 10, /* that are shown of one file, with context ... */
	DIFF_HUNKS_ROWS_MAX = 2000, /* ... and the lines */
	DIFF_HUNKS_CONTEXT = 3
};

/* What is left of the limits for all files together; each file uses some of it. */
struct diff_hunks {
	size_t work; /* bytes that may be compared */
	size_t steps; /* of line_diff() */
	size_t bytes, rows; /* that may be shown */
};

/*
 * The limits at the beginning: small enough that a page can show everything, however much it has to escape.
 */
struct diff_hunks diff_hunks_all(void);

/*
 * Compares the texts and writes the differences to `out`.  False, and nothing is written: they exceed the
 * limits above, or what is left.
 */
bool diff_hunks_put(struct diff_hunks *, struct slice old, struct slice new, struct buf *out);

#endif
