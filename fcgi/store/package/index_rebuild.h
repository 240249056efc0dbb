#ifndef STORE_PACKAGE_INDEX_REBUILD_H
#define STORE_PACKAGE_INDEX_REBUILD_H

/*
 * Renders a crate's index file anew from the lines of its versions, inside the transaction that
 * changes one of them, with the crate's row locked.  The lines go from the connection through gzip
 * one by one: it holds one line and the compressed file, for a crate of any size.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/db/db.h"

enum {
	INDEX_REBUILD_CALLS = 2,
	/* of text; above CRATE_INDEX_MAX, since an unyank makes a line one byte longer */
	INDEX_REBUILD_MAX = 257 << 20
};

struct index_rebuild;

/*
 * Fills in the calls that read the lines.  Put them last in the round trip, after the statements that
 * change the lines.  They lift the statement time-out until the transaction ends: only the deadline
 * bounds a large file.  NULL: 500.
 */
struct index_rebuild *index_rebuild_begin(struct arena *, int64_t crate_id,
    struct db_call calls[INDEX_REBUILD_CALLS], struct err *) __attribute__((warn_unused_result));

/* Bytes of text of the file; call it after that round trip. */
int64_t index_rebuild_size(const struct index_rebuild *);

/*
 * Call it after that round trip: stores the index file, from which on the crate is due
 * (store/package/crate_due.h).  -1: 500, 503.  The round trip itself fails with 400 where the file would pass
 * INDEX_REBUILD_MAX.
 */
int index_rebuild_end(struct index_rebuild *, struct db *, struct arena *, struct err *)
    __attribute__((warn_unused_result));

#endif
