#ifndef STORE_BLOB_BLOB_WARM_H
#define STORE_BLOB_BLOB_WARM_H

/*
 * Fetches copies from an object store before clients ask for them.  A new node has no copies: it serves at
 * once, but the first download of each crate waits for the store.  So it fetches the crates that clients of
 * all nodes download most.
 */

#include "store/blob/blob_kind.h"
#include "store/db/db.h"

struct blob_warm {
	int64_t max; /* bytes: it stops when all copies have half of this, and leaves the rest to clients */
	int days; /* it counts the downloads of so many days */
	bool (*must_stop)(void *arg); /* called after each copy */
	void *arg;
};

/*
 * Fetches one copy after the other, the crates with the most downloads first, until the disk is full.  *n:
 * how many; *more: must_stop() has stopped it.  This does not count as use: a copy that no client asks for is
 * removed after a while (blob_copies.h).  -1: 503, the store or the database does not answer; 500.
 */
int blob_warm(struct db *, struct arena *, const struct blob_store *, const struct blob_warm *, int64_t *n,
    bool *more, struct err *) __attribute__((warn_unused_result));

#endif
