#ifndef CRATE_INDEX_DEPS_H
#define CRATE_INDEX_DEPS_H

/*
 * Walks through the dependencies in the text of an index file, and finds in each the crate and the
 * registry.  The lines are those of index_line_encode(): compact JSON, one object in each.
 *
 * Pure.
 */

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

struct index_deps {
	struct slice text;
	size_t at;
	bool inside; /* a list of dependencies */
};

struct index_dep {
	struct slice crate; /* the real name (`package`), without the quotes, not the alias */
	struct slice registry; /* a string of JSON with its quotes, or null; a part of the text */
};

/* Begins at the front of the text. */
struct index_deps index_deps_of(struct slice text);

/* Finds the next dependency.  1: *out has it; 0: there are no more; -1: 500 the text is no index file. */
int index_deps_next(struct index_deps *, struct index_dep *, struct err *)
    __attribute__((warn_unused_result));

#endif
