#ifndef STORE_PACKAGE_VERSION_CHECK_H
#define STORE_PACKAGE_VERSION_CHECK_H

/*
 * Checks a publish against the database.  The first checks need only the metadata and come before a large
 * crate is read, so that a refused publish costs little more than one round trip.  Much can happen while a
 * crate is read and inspected.  So the transaction of the publish locks the crate and looks whether it has
 * changed since the first checks.  If it has, the transaction repeats all of them.  If it has not, the
 * transaction still repeats the checks of protection rules, owners and dependencies, since these can
 * change while the crate stays the same.
 */

#include <stdint.h>
#include <time.h>

#include "access/token_limits.h"
#include "base/slice.h"
#include "crate/package.h"
#include "store/audit.h"
#include "store/blob/blob_stage.h"
#include "store/db/db.h"
#include "store/package/index_grow.h"
#include "store/package/quota.h"

/* A version that somebody publishes. */
struct version_new {
	struct audit_actor actor;
	int push_level; /* for protection_call() */
	int64_t crate_user; /* access_crate_user(): the user who must own the crate; 0: the role suffices */
	struct token_limits limits; /* of the token that publishes */
	int64_t project_id;
	const char *normalized_name;
	const char *version_base; /* without build metadata */
	const struct package *package;
	struct slice index_line;
	struct index_file index; /* of the crate, when it was checked last */
	bool has_quota; /* its project or a group above it, by the first checks */
	bool needs_crate; /* of the quotas, too, when it was checked last: the crate is new */
	const char *buried; /* checksum of a version that was deleted; NULL: there was none */
	const char *there; /* checksum of the version, where it is there already */
	int64_t there_size; /* of its crate */
	/* of the crate; before it is read cksum is NULL, and size what was announced */
	const char *cksum;
	struct blob_staging *blob; /* staged; version_publish() calls blob_stage_keep() */
	int64_t size;
	time_t published_at;
	bool is_untimed; /* that is the time of an import, since its source has none */
	struct strings *quota_warnings; /* warnings about quotas, after it is published */
	int64_t deleted_name_wait; /* seconds in which the name of a deleted crate is not free */
	int64_t max_index_size; /* of the crate's index file with this version, in bytes of text */
	const char *imported_from; /* the source that an import names; NULL: a publish */
	/* version_publish() calls it before COMMIT, perhaps more than once; -1: rolls back.  NULL: no call */
	int (*confirm)(void *arg, struct err *);
	void *confirm_arg;
};

enum version_check_call {
	VERSION_CHECK_PROTECTION,
	VERSION_CHECK_LOOK,
	VERSION_CHECK_CALLS
};

/* Fills in so many calls, which only read. */
void version_check_calls(struct db_call *, struct arena *, const struct version_new *);

/*
 * Reads their results.  Fills in v->index, v->needs_crate, v->buried and v->there; the caller has to check
 * the quotas.  Members that are not known yet (cksum NULL, an empty index_line) count as good.  -1: 403
 * where the crate is not the caller's, 403 "package protected: ...", 403 where the token's limits are
 * against it, 400 "crate was previously named ...", 400 "crate ... was recently deleted ...", 400 where the
 * version is there already, or was deleted and can come back or had other bytes, 400 where the index file
 * would be too large, 400 "no known crate named ..." of a dependency in the same registry, unless it is an
 * import, whose crates come in any order.
 */
int version_check_judge(struct db *, const struct db_call *, struct version_new *, struct err *)
    __attribute__((warn_unused_result));

/*
 * The same for a crate that has not changed since: protection rules, and owners and dependencies where they
 * matter.  Returns how many of the calls it has filled in.
 */
size_t version_check_again_calls(struct db_call *, struct arena *, const struct version_new *);
int version_check_again_judge(const struct db_call *, size_t n, const struct version_new *, struct err *)
    __attribute__((warn_unused_result));

/* Fills in the amounts for which the quotas must have room. */
void version_check_quota(const struct version_new *, int64_t need[QUOTA__MAX]);

/*
 * The same without a lock, before the crate is inspected, and whether the quotas have room.  -1: as
 * above, 403 where a quota has none.
 */
enum { VERSION_CHECK_EARLY_CALLS = VERSION_CHECK_CALLS + 1 };
void version_check_early_calls(struct db_call *, struct arena *, const struct version_new *);
int version_check_early_judge(struct db *, const struct db_call *, struct version_new *, struct err *)
    __attribute__((warn_unused_result));

/*
 * The rule that needs the index line.  Before that is known, it refuses only a file that is full already.
 * A stored file that is damaged tells no size: the publish renders it anew, and then asks
 * version_check_rendered() about its bytes of text.  -1: 400 the index file would be too large.
 */
int version_check_size(const struct version_new *, struct err *) __attribute__((warn_unused_result));
int version_check_rendered(const struct version_new *, int64_t bytes, struct err *)
    __attribute__((warn_unused_result));

/* The rule that needs the crate's bytes.  -1: 400 the version was deleted and had other bytes. */
int version_check_bytes(const struct version_new *, struct err *)
    __attribute__((warn_unused_result));

#endif
