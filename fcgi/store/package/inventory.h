#ifndef STORE_PACKAGE_INVENTORY_H
#define STORE_PACKAGE_INVENTORY_H

/* What a project has: for an import, and for an export. */

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

/* The versions of one crate, without those that are deleted; none where there is no such crate. */
int inventory_versions(struct db *, struct arena *, int64_t project_id, const char *normalized_name,
    struct inventory_version **, size_t *n, struct err *) __attribute__((warn_unused_result));

/* Dependencies in the same registry that are not there: the first 100 names. */
int inventory_unresolved(struct db *, struct arena *, int64_t project_id, struct strings *names, struct err *)
    __attribute__((warn_unused_result));

/* Takes the index file of one crate, which is compressed.  -1, with err set, ends the reading. */
typedef int inventory_index_fn(void *arg, const char *name, struct slice body, struct err *);

/*
 * All index files of a project, all of the same moment, one after the other, however long it takes: only a
 * server that sends nothing for the time of a statement is late.
 */
int inventory_indexes(struct db *, struct arena *, int64_t project_id, inventory_index_fn *, void *arg,
    struct err *) __attribute__((warn_unused_result));

#endif
