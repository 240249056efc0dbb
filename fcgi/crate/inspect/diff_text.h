#ifndef CRATE_INSPECT_DIFF_TEXT_H
#define CRATE_INSPECT_DIFF_TEXT_H

/*
 * The inspector's answer about two crates (crate/inspect/crate_diff.h), as lines of text:
 *
 *	F M - 120 131 src/lib.rs    a file: how it differs, why no lines follow (-: they do), its sizes, its path
 *	@ 10 10                     the numbers of the next line in the old file and the new one
 *	 fn main() {                a line of both, ...
 *	-	old();              ... of the old one, ...
 *	+	new();              ... and of the new one
 *	\                           the line before ends without a line feed
 *	E 3                         the end: so many more files differ
 *
 * Lines are UTF-8 without NUL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum diff_change { DIFF_ADDED = 'A', DIFF_REMOVED = 'D', DIFF_CHANGED = 'M' };

/* Why no lines are shown. */
enum diff_why {
	DIFF_SHOWN = '-',
	DIFF_BINARY = 'b',
	DIFF_TOO_LARGE = 'f', /* the file */
	DIFF_TOO_LONG = 'l' /* the difference */
};

struct diff_line {
	char kind; /* of '@', ' ', '-', '+' */
	bool ends; /* with a line feed */
	bool returns; /* with a carriage return before it, which a page has to show */
	int64_t old, new; /* its numbers; for '@', those of the next line */
	const char *text; /* without these two; "" for '@' */
};

struct diff_file {
	const char *path;
	enum diff_change change;
	enum diff_why why;
	int64_t old_size, new_size;
	struct diff_line *lines;
	size_t nlines;
	int64_t added, removed; /* lines, where they are shown */
};

struct diff_text {
	struct diff_file *files; /* by path */
	size_t nfiles;
	int64_t unlisted; /* files that differ and are not in `files` */
};

/* Reads a whole answer; everything lives in the arena.  -1: 500, the answer is malformed. */
int diff_text_read(struct arena *, struct slice, struct diff_text *, struct err *)
    __attribute__((warn_unused_result));

#endif
