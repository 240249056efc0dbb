#ifndef CRATE_INSPECT_DIFF_HUNKS_H
#define CRATE_INSPECT_DIFF_HUNKS_H

/* The lines by which two texts differ, with some around them, as crate/inspect/diff_text.h says. */

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

/* What is left for all files together. */
struct diff_hunks {
	size_t work; /* bytes that may be compared */
	size_t steps; /* of line_diff() */
	size_t bytes, rows; /* that may be shown */
};

/* At the beginning: a page can show all of it, whatever it has to escape. */
struct diff_hunks diff_hunks_all(void);

/*
 * Compares the texts and writes what differs.  False, with nothing written: it is longer than the bounds
 * above, or than what is left.
 */
bool diff_hunks_put(struct diff_hunks *, struct slice old, struct slice new, struct buf *out);

#endif
