#ifndef STORE_PACKAGE_VERSION_LOCK_H
#define STORE_PACKAGE_VERSION_LOCK_H

/*
 * The beginning of each change of one version, such as a deletion or a status: checks the caller and locks
 * the version.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access/token_limits.h"
#include "store/audit.h"
#include "store/db/db.h"

struct version_change {
	struct audit_actor actor;
	int delete_level; /* for protection_delete_call() */
	struct token_limits limits; /* of the token, only its crates count */
	int64_t project_id;
	int64_t version_id;
	const char *why; /* for the audit row of a deletion: "retention"; NULL: somebody wanted it */
	/* of a deletion: another version, without which the crate must not be left; 0: none */
	int64_t kept_id;
	bool kept_yanked; /* that one may be yanked */
	const int64_t *yanked; /* of a deletion with kept_id: those to delete that must still be yanked */
	size_t nyanked;
};

/* A version as it is, in its locked crate. */
struct version_locked {
	int64_t crate_id;
	const char *name;
	const char *normalized_name;
	bool crate_empty; /* all of the crate's versions are deleted */
	const char *version;
	const char *version_base;
	const char *cksum;
	int64_t size;
	const char *status;
	const char *message; /* "" for none */
};

/*
 * Locks the crate and the version, in a transaction.  The struct is all zeros; or has been filled in for
 * another version of this crate in this transaction, and then what it says of the crate stays.  -1: 404 where
 * the project has no such version, or it is deleted, or, with `deleted`, is not; 403 where the token's limits
 * are against it, 403 "package protected: ...", 503.
 */
int version_lock(struct db *, struct arena *, const struct version_change *, bool deleted,
    struct version_locked *, struct err *) __attribute__((warn_unused_result));

#endif
