#ifndef STORE_PACKAGE_VERSION_DELETE_H
#define STORE_PACKAGE_VERSION_DELETE_H

/*
 * Deleting a version, which is the same whoever does it: a request, berth(1), a retention
 * policy.  It leaves index and download at once; its row waits, `pending_destruction`, for the
 * task that destroys it, and can come back until then.  A tombstone stays for ever: the version
 * can never again be published with other bytes.
 *
 * The crate's row stays too, and with it its name and spelling.  Once its last version is
 * deleted nothing can be published under the name for a while (deleted_name_wait).
 */

#include <stdint.h>

#include "access/token_limits.h"
#include "store/audit.h"
#include "store/db/db.h"

struct version_delete {
	struct audit_actor actor;
	int delete_level; /* for protection_delete_call() */
	struct token_limits limits; /* of the token, only its crates count */
	int64_t project_id;
	int64_t version_id;
	const char *why; /* for the audit row: "retention"; NULL: somebody wanted it */
};

/*
 * One transaction, with the crate locked: the version becomes pending_destruction, the index
 * is rebuilt without it, tombstone and audit row are written.  -1: 404 where the project has
 * no such version, or it is already deleted, 403 where the token's limits are against it, 403
 * "package protected: ...", 503.
 */
int version_delete(struct db *, struct arena *, const struct version_delete *, struct err *)
    __attribute__((warn_unused_result));

/*
 * The same backwards, as long as the row is there: the version has its status, its place in
 * the index and its yank of before.  -1: 404 where the project has no such version, or it is
 * not deleted; 403 where a quota has no room for it; else as above.
 */
int version_undelete(struct db *, struct arena *, const struct version_delete *, struct err *)
    __attribute__((warn_unused_result));

/*
 * For ever: removes the rows of up to 100 versions that were deleted more than `grace` seconds
 * ago, and of their dependencies; *n says how many.  Tombstones stay.
 */
int version_destroy(struct db *, struct arena *, int64_t grace, int64_t *n, struct err *)
    __attribute__((warn_unused_result));

/* A version by its names, for whoever has no id. */
struct version_named {
	int64_t project_id;
	int64_t version_id;
	const char *crate; /* as it was published */
	const char *version;
	int64_t size;
	bool deleted;
};

/*
 * The versions of a crate, by any spelling of its name, in order of publication, deleted ones
 * included; or, with `version_base`, that one.  -1: 404 no such project, crate or version.
 */
int version_find_named(struct db *, struct arena *, const char *project_path, const char *crate,
    const char *version_base, struct version_named **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
