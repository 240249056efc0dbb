#ifndef STORE_PACKAGE_IMPORTED_H
#define STORE_PACKAGE_IMPORTED_H

/* What an import needs besides publishes. */

#include <stdbool.h>
#include <stdint.h>

#include "crate/package.h"
#include "store/db/db.h"

/* Statements of this session are planned anew, for the tables as they are now.  Call it now and then. */
int imported_replan(struct db *, struct arena *, struct err *) __attribute__((warn_unused_result));

/*
 * Counts n downloads of versions of the crate, given without build metadata, as numbers in decimal, before
 * all that is counted here.  A repetition changes nothing.  *changed: of how many versions the number is
 * another one now.
 */
int imported_downloads(struct db *, struct arena *, int64_t project_id, const char *normalized_name,
    const char *const *versions, const char *const *numbers, size_t n, size_t *changed, struct err *)
    __attribute__((warn_unused_result));

struct imported_owner {
	const char *username; /* as it was given */
	bool active; /* such a user is here, and is not blocked */
};

/* Of the usernames those who do not own the crate yet; the crate need not be there. */
int imported_owners(struct db *, struct arena *, int64_t project_id, const char *normalized_name,
    const struct strings *usernames, struct imported_owner **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
