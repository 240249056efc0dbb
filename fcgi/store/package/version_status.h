#ifndef STORE_PACKAGE_VERSION_STATUS_H
#define STORE_PACKAGE_VERSION_STATUS_H

/*
 * What whoever administers a project thinks of a version: `default`; `deprecated`; `hidden`, which
 * is not listed; `error`, which cannot be installed either, since it leaves index and download.
 */

#include <stdint.h>

#include "access/token_limits.h"
#include "store/audit.h"
#include "store/db/db.h"

struct version_status {
	struct audit_actor actor;
	int delete_level; /* for protection_delete_call() */
	struct token_limits limits; /* of the token, only its crates count */
	int64_t project_id;
	int64_t version_id;
	const char *status; /* one of those above */
	const char *message; /* why; NULL or empty: nothing is said */
};

/*
 * One transaction, with the crate locked: status, audit row, index.  One that is so already is left
 * alone.  -1: 400 for a message that is no text of one line, or too long; 404 where the project has
 * no such version, or it is deleted; 403 where the token's limits are against it, 403 "package
 * protected: ...", 503.
 */
int version_set_status(struct db *, struct arena *, const struct version_status *, struct err *)
    __attribute__((warn_unused_result));

#endif
