#ifndef TRANSFER_EXPORT_INDEX_H
#define TRANSFER_EXPORT_INDEX_H

/* Reads index files that an export has written into DIR. */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* A version that a line of an index names. */
struct export_named {
	const char *name, *version, *cksum;
};

/* Those of an index file, sorted. */
struct export_names {
	struct export_named *v;
	size_t n;
};

/*
 * Reads a file of DIR/index, or of another index in DIR.  root: DIR, open; path: in the index.  A missing
 * file counts as an empty one.  -1: 400.
 */
int export_index_read(struct arena *, int root, const char *dir, const char *index, const char *path,
    struct slice *text, struct err *) __attribute__((warn_unused_result));

/*
 * Takes the next line from *rest, the text of an index file.  False: no export has written it, or it is cut
 * short, and *named is not set.
 */
bool export_index_next(struct arena *, struct slice *rest, struct slice *line, struct export_named *named);

/* The versions in the text of an index file; it leaves out lines that no export has written. */
struct export_names export_index_parse(struct arena *, struct slice text);

/* NULL: the version is not among them. */
const struct export_named *export_names_find(const struct export_names *, const char *name,
    const char *version);

#endif
