#ifndef TRANSFER_IMPORT_LINE_H
#define TRANSFER_IMPORT_LINE_H

/*
 * The facts of a version that only its line in another registry's index has: its checksum, whether it is
 * yanked, when it was published, and the registry of each dependency.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"
#include "transfer/import_time.h"

struct import_line_registry {
	const char *dependency; /* the name by which the crate's own code knows it */
	const char *url; /* NULL: the registry that the index is of */
};

struct import_line {
	const char *cksum; /* as it stands there */
	bool yanked;
	struct import_time published_at;
	struct import_line_registry *registries;
	size_t nregistries;
};

/* Strings live in the arena.  -1: 400, what is wrong. */
int import_line_parse(struct arena *, struct slice text, struct import_line *, struct err *)
    __attribute__((warn_unused_result));

/* Gives each dependency of the package the registry that the line has for it. */
void import_line_apply(const struct import_line *, struct package *);

#endif
