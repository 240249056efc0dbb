#ifndef STORE_PACKAGE_IMPORTED_H
#define STORE_PACKAGE_IMPORTED_H

/* Writes of an import that a publish does not make: owners, and downloads before the import. */

#include <stdbool.h>
#include <stdint.h>

#include "crate/package.h"
#include "store/db/db.h"

/*
 * Makes the session plan its statements again, for the size that the tables have by now.  Call it from time
 * to time.  -1: 503.
 */
int imported_replan(struct db *, struct arena *, struct err *) __attribute__((warn_unused_result));

/*
 * Sets the downloads of n versions of the crate before the import, apart from those that are counted here.
 * The versions have no build metadata; the numbers are decimal.  A repetition changes nothing.  *changed:
 * the versions whose number is different now.
 */
int imported_downloads(struct db *, struct arena *, int64_t project_id, const char *normalized_name,
    const char *const *versions, const char *const *numbers, size_t n, size_t *changed, struct err *)
    __attribute__((warn_unused_result));

struct imported_owner {
	const char *username; /* as it was given */
	bool active; /* this registry has such a user, who is not blocked */
};

/* Finds the usernames that do not own the crate yet; the crate need not exist.  -1: 503. */
int imported_owners(struct db *, struct arena *, int64_t project_id, const char *normalized_name,
    const struct strings *usernames, struct imported_owner **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
