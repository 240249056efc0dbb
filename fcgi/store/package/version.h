#ifndef STORE_PACKAGE_VERSION_H
#define STORE_PACKAGE_VERSION_H

/* Versions: published, yanked, found for download. */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/audit.h"
#include "store/db/db.h"
#include "store/package/version_check.h"
#include "store/token/access_facts.h"

/*
 * Publishes a version in one transaction: it locks the crate, inserts version and dependencies, writes the
 * audit row, and adds a line to the index file.  When it returns 0, every reader sees the version.  If the
 * answer to COMMIT is lost, it checks whether the version exists.  -1: as version_check_early_judge() of
 * store/package/version_check.h, which checks the same without a lock.
 */
int version_publish(struct db *, struct arena *, struct version_new *, struct err *)
    __attribute__((warn_unused_result));

struct version_yank {
	struct audit_actor actor;
	struct token_limits limits;
	int64_t project_id;
	const char *name; /* in any spelling */
	const char *version_base;
	bool yanked;
	const char *message; /* of a yank: the reason, one line; NULL: none */
	int push_level; /* for protection_call() */
	int64_t crate_user; /* for owner_check_call() */
};

/*
 * Yanks or unyanks, in one transaction.  A version that is already in that state, with the same message,
 * stays as it is: no index is rebuilt and no audit row is written.  A message goes with the yank.  -1: 400
 * for a malformed one, 404 for a crate or version that does not exist, 403 where the token's limits are
 * against it or the crate is not the caller's, 403 "package protected: ...", 503.
 */
int version_set_yanked(struct db *, struct arena *, const struct version_yank *, struct err *)
    __attribute__((warn_unused_result));

struct version_blob {
	bool found;
	int64_t version_id;
	const char *cksum;
	int64_t size;
	int64_t crate_id;
	int64_t project_id;
	bool is_listed; /* not hidden, so it has pages */
};

/* Fills in the call that finds the blob of exactly this crate and version, if cargo can install it. */
void version_blob_call(struct db_call *, struct arena *, int64_t project_id, struct slice name,
    struct slice version);
void version_blob_read(const struct db_call *, struct version_blob *);

#endif
