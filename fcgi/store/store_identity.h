#ifndef STORE_STORE_IDENTITY_H
#define STORE_STORE_IDENTITY_H

/*
 * A store belongs to one registry.  STORE/registry-id has the id that the table `registry` of the
 * database has.  Whoever is about to work on a store asks here first:
 *
 *	the same id           it is ours
 *	another id            it is refused
 *	no id, and neither store nor database has a blob
 *	                      a new installation: the store gets the id (where `claim` says so)
 *	no id, and the database has been with a store that has it
 *	                      refused: another directory, or a file system that is not mounted
 *	no id, and blobs in one of the two alone
 *	                      refused: they do not belong together
 *	no id, and blobs in both
 *	                      a store of before there were ids.  It can be read and added to as long as
 *	                      some of the database's blobs are in it; nothing is removed before
 *	                      `berth store adopt`, which compares all of them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

#define STORE_ID_FILE "registry-id"

enum { REGISTRY_ID_SIZE = 37 };

/* What a process knows; {0} at first. */
struct store_identity {
	char registry[REGISTRY_ID_SIZE]; /* the database's id */
	bool adopted; /* the store had the same when it was last looked at */
	/* ---- private ---- */
	uint64_t connection; /* which asked for it */
	int64_t until_us; /* until then a store without an id is not looked at again */
	char refusal[ERR_DETAIL_SIZE]; /* what was wrong with it; "": nothing */
};

/*
 * May the store be used?  Connects if need be.  Costs three system calls, and a statement for each
 * new connection.  claim: a new store gets the id.  -1: 503, and `detail` says what is wrong and
 * what to do.
 */
int store_identity_check(struct db *, struct arena *, struct store_identity *, const char *store,
    bool claim, struct err *) __attribute__((warn_unused_result));

/* The same, and -1 also where the store has no id yet: for who takes something away. */
int store_identity_check_adopted(struct db *, struct arena *, struct store_identity *,
    const char *store, struct err *) __attribute__((warn_unused_result));

/*
 * For who checks a configuration: nothing is written, and the database may take two seconds.  0, with
 * a warning where the store has blobs and no id yet, else "", as where the database or the store
 * is not there.  -1: the store is another's.
 */
int store_identity_test(const char *conninfo, const char *store, char *warning, size_t size,
    struct err *) __attribute__((warn_unused_result));

/* The database's id.  -1: 503, 500. */
int store_identity_registry(struct db *, struct arena *, struct store_identity *, struct err *)
    __attribute__((warn_unused_result));

#endif
