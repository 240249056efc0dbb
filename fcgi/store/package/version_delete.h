#ifndef STORE_PACKAGE_VERSION_DELETE_H
#define STORE_PACKAGE_VERSION_DELETE_H

/*
 * Deletes versions, in the same way for a request, berth(1) and a retention policy.  The version leaves
 * index and download at once.  Its row stays as `pending_destruction` until a task destroys it, and can
 * come back until then.  A tombstone stays for ever: nobody can publish the version again with other bytes.
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
 * The same for n versions of one crate in one transaction, all or none: the index is rebuilt once, since that
 * takes longer the more versions the crate has.  The version_id of the change does not count.  -1: also 404
 * if the version that is to be kept is not there, or is yanked and must not be, or if one that must be
 * yanked is not.
 */
int version_delete_some(struct db *, struct arena *, const struct version_change *, const int64_t *ids,
    size_t n, struct err *) __attribute__((warn_unused_result));

/*
 * Undoes deletions in the same way, as long as the rows exist: each version gets back its status, its place
 * in the index and its yank.  -1 as version_lock(), or 403 where a quota has no room for them.
 */
int version_undelete_some(struct db *, struct arena *, const struct version_change *, const int64_t *ids,
    size_t n, struct err *) __attribute__((warn_unused_result));

/*
 * Destroys for ever: it removes the rows of up to 100 versions that were deleted more than `grace` seconds
 * ago, and those of their dependencies; *n: how many versions.  Tombstones stay.
 */
int version_destroy(struct db *, struct arena *, int64_t grace, int64_t *n, struct err *)
    __attribute__((warn_unused_result));

/* A version that was found by its names. */
struct version_named {
	int64_t project_id;
	int64_t crate_id;
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
