#ifndef STORE_BLOB_BLOB_WARM_H
#define STORE_BLOB_BLOB_WARM_H

/*
 * A new node of an object store has no copies.  It serves at once, and each download waits for the store the
 * first time; this brings beforehand what is downloaded most elsewhere.
 */

#include "store/blob/blob_kind.h"
#include "store/db/db.h"

struct blob_warm {
	int64_t max; /* bytes: no copy is brought above half of it, so that those that are used here have room */
	int days; /* counts downloads of so many days */
	bool (*must_stop)(void *arg); /* asked after each copy */
	void *arg;
};

/*
 * Brings copies one after the other, those with the most downloads first, until the disk is full.  *n: how
 * many; *more: it had to stop.  Nothing is used by this: what nobody asks for here goes again after a while
 * (blob_copies.h).  -1: 503, the store or the database is away, 500.
 */
int blob_warm(struct db *, struct arena *, const struct blob_store *, const struct blob_warm *, int64_t *n,
    bool *more, struct err *) __attribute__((warn_unused_result));

#endif
