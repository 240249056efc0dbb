#ifndef STORE_PACKAGE_INVENTORY_H
#define STORE_PACKAGE_INVENTORY_H

/* Lists the content of a project, for an import or an export. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crate/package.h"
#include "store/db/db.h"

struct inventory_version {
	const char *version_base; /* without build metadata */
	const char *cksum;
	bool yanked;
};

/*
 * The versions of one crate, without deleted ones, sorted by strcmp() of version_base.  If the crate does not
 * exist, n is 0.
 */
int inventory_versions(struct db *, struct arena *, int64_t project_id, const char *normalized_name,
    struct inventory_version **, size_t *n, struct err *) __attribute__((warn_unused_result));

/*
 * The names of dependencies in the same registry that do not exist there, without dev-dependencies: the first
 * 100.  -1: 503.
 */
int inventory_unresolved(struct db *, struct arena *, int64_t project_id, struct strings *names, struct err *)
    __attribute__((warn_unused_result));

/* Takes the index file of one crate, which is compressed.  -1, with err set, ends the reading. */
typedef int inventory_index_fn(void *arg, const char *name, struct slice body, struct err *);

/*
 * Reads all index files of a project, one after the other, as they were at one moment.  It may take any
 * time: it fails only if the server sends nothing for the time of a statement.
 */
int inventory_indexes(struct db *, struct arena *, int64_t project_id, inventory_index_fn *, void *arg,
    struct err *) __attribute__((warn_unused_result));

#endif
