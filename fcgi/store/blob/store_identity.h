#ifndef STORE_BLOB_STORE_IDENTITY_H
#define STORE_BLOB_STORE_IDENTITY_H

/*
 * A store belongs to one registry.  STORE/registry-id has the same id as the table `registry` of the
 * database.  Check it before you work on a store:
 *
 *	the same id           the store is ours
 *	another id            refused
 *	no id, and a restore was interrupted
 *	                      refused: tokens that the restore ends may be valid
 *	no id, and neither store nor database has a blob
 *	                      a new installation: the store gets the id (with `claim`)
 *	no id, and the database has had a store with its id
 *	                      refused: another directory, or a file system that is not mounted
 *	no id, and only one of the two has blobs
 *	                      refused: they do not belong together
 *	no id, and both have blobs
 *	                      a store of a version without ids.  Publishes and downloads work while it has
 *	                      some of the database's blobs; nothing is removed before
 *	                      `berth store adopt`, which compares all of them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/blob/blob.h"
#include "store/db/db.h"

enum { REGISTRY_ID_SIZE = 37 };

/* The knowledge of a process about its store; {0} at first. */
struct store_identity {
	char registry[REGISTRY_ID_SIZE]; /* the database's id */
	bool adopted; /* the store had the same id at the last check */
	/* ---- private ---- */
	uint64_t connection; /* that has read the id */
	int64_t remembered_us; /* `adopted` holds until then without a new check */
	int64_t until_us; /* the next examination of a store without an id */
	char refusal[ERR_DETAIL_SIZE]; /* why that store is refused; "": it is accepted */
};

/*
 * May the store be used?  Connects if necessary.  It costs three system calls, or with an object store a
 * request once in a while, and one statement for each new connection.  claim: gives a new store the id.  -1:
 * 503, and `detail` says what is wrong and what to do.
 */
int store_identity_check(struct db *, struct arena *, struct store_identity *, const struct blob_store *,
    bool claim, struct err *) __attribute__((warn_unused_result));

/* The same for callers that remove files: -1 also where the store has no id yet. */
int store_identity_check_adopted(struct db *, struct arena *, struct store_identity *,
    const struct blob_store *, struct err *) __attribute__((warn_unused_result));

/*
 * Checks a configuration, and writes nothing.  0, with a warning where the store has blobs and no id yet,
 * else "", also where the store is missing.  -1: 503, also where the store is another registry's.
 */
int store_identity_test(struct db *, struct arena *, const struct blob_store *, char *warning, size_t size,
    struct err *) __attribute__((warn_unused_result));

/* The database's id.  -1: 503, 500. */
int store_identity_registry(struct db *, struct arena *, struct store_identity *, struct err *)
    __attribute__((warn_unused_result));

#endif
