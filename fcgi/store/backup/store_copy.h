#ifndef STORE_BACKUP_STORE_COPY_H
#define STORE_BACKUP_STORE_COPY_H

/*
 * Copies the blobs that versions need from one store to another, of either kind, while the registry serves.
 * It skips a blob that the other store has with the right size, so a second run continues where the first
 * one ended, and copies what was published since.  At the end the other store gets the registry's id, so
 * that hosts can use it, but no mark: so no collection removes anything from it before `berth store adopt`.
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
	int64_t missing; /* that the first store lacks, or has with wrong bytes */
};

/*
 * A blob that cannot be copied is counted in `missing`, and is no error.  -1: 409, one of the two stores
 * belongs to another registry; 503, 500.
 */
int store_copy_run(struct arena *, struct store_copy *, struct err *) __attribute__((warn_unused_result));

#endif
