#ifndef STORE_BACKUP_STORE_COPY_H
#define STORE_BACKUP_STORE_COPY_H

/*
 * Copies the blobs that versions need from one store to another, of whatever kinds, while the registry
 * serves.  What is there already, with its size, stays: a second run goes on where the first one ended, and
 * brings what was published since.  In the end the other store gets the registry's id, so that hosts can
 * use it, but no mark: nothing is removed from it before `berth store adopt`.
 */

#include <stdint.h>

#include "store/blob/blob_kind.h"
#include "store/db/db.h"

struct store_copy {
	struct db *db;
	const struct blob_store *from, *to;
	/* results */
	int64_t blobs; /* that versions need */
	int64_t copied, copied_bytes;
	int64_t missing; /* that the first store lacks, or has with other bytes */
};

/*
 * A blob that cannot be had is counted in `missing`, and is no error.  -1: 409, one of the two is another
 * registry's; 503, 500.
 */
int store_copy_run(struct arena *, struct store_copy *, struct err *) __attribute__((warn_unused_result));

#endif
