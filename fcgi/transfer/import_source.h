#ifndef TRANSFER_IMPORT_SOURCE_H
#define TRANSFER_IMPORT_SOURCE_H

/*
 * What there is to import: crates with their versions, and where the bytes of each are.  All of it is in
 * memory, some 200 bytes for each version.
 */

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

struct import_version {
	const char *version;
	const char *path; /* of the .crate; NULL: there is none */
	struct slice line; /* of the index; empty: there is none */
};

struct import_crate {
	const char *name;
	struct import_version *versions; /* in the order in which they are to be published */
	size_t nversions;
};

struct import_source {
	struct import_crate *crates; /* by name */
	size_t ncrates, nversions;
};

/*
 * Finds all files NAME-VERSION.crate in the directory and below it, in whatever folders: so mirrors,
 * vendors and registries keep them.  Files of other names, links and names that begin with a dot are left
 * alone.  Versions of a crate come in the order of their precedence.  -1: 400, the directory cannot be
 * read, or two files are the same version.
 */
int import_source_directory(struct arena *, const char *path, struct import_source *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Reads an index, laid out as cargo's index format says: a work tree of git, or the files of a sparse
 * index. Versions come in the order of its lines.  Their bytes are those of `crates`.  -1: 400, a file or
 * line of the index is wrong; which one.
 */
int import_source_index(struct arena *, const char *path, const struct import_source *crates,
    struct import_source *, struct err *) __attribute__((warn_unused_result));

#endif
