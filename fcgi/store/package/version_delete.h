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

#include "store/package/version_lock.h"

/*
 * One transaction, with the crate locked: the version becomes pending_destruction, the index
 * is rebuilt without it, tombstone and audit row are written.  -1 as version_lock().
 */
int version_delete(struct db *, struct arena *, const struct version_change *, struct err *)
    __attribute__((warn_unused_result));

/*
 * The same backwards, as long as the row is there: the version has its status, its place in
 * the index and its yank of before.  -1 as version_lock(), or 403 where a quota has no room for it.
 */
int version_undelete(struct db *, struct arena *, const struct version_change *, struct err *)
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
