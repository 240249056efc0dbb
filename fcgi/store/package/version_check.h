#ifndef STORE_PACKAGE_VERSION_CHECK_H
#define STORE_PACKAGE_VERSION_CHECK_H

/*
 * What the database knows against a publish.  The rules are here once, and are asked twice: of the
 * metadata, before a byte of the crate is read, so that what must be refused costs no more than a round
 * trip; and in the transaction, with the crate locked, which alone decides, since much can happen while a
 * crate is read and inspected.
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
	int64_t crate_user; /* access_crate_user(): to whom the crate must have been given; 0: the role suffices */
	struct token_limits limits; /* of the token that publishes */
	int64_t project_id;
	const char *normalized_name;
	const char *version_base; /* without build metadata */
	const struct package *package;
	struct slice index_line;
	struct index_file index; /* of the crate, when it was checked last */
	bool has_quota; /* its project or a group above it, when it was checked before the bytes */
	bool needs_crate; /* of the quotas, too, when it was checked last: the crate is new */
	const char *buried; /* checksum of a version that was deleted; NULL: there was none */
	const char *there; /* checksum of the version, where it is there already */
	int64_t there_size; /* of its crate */
	/* of the crate; before it is read cksum is NULL, and size what was announced */
	const char *cksum;
	struct blob_staging *blob; /* blob_stage_keep() comes before version_publish() */
	int64_t size;
	time_t published_at;
	struct strings *quota_warnings; /* what there is to say of quotas once it is published */
	int64_t deleted_name_wait; /* seconds in which the name of a deleted crate is not free */
	int64_t max_index_size; /* of the crate's index file with this version, in bytes of text */
	const char *imported_from; /* by an import: what an administrator named as the source; NULL: by a publish */
};

enum version_check_call {
	VERSION_CHECK_LOOK,
	VERSION_CHECK_PROTECTION,
	VERSION_CHECK_CALLS
};

/* Fills in so many calls, which only read. */
void version_check_calls(struct db_call *, struct arena *, const struct version_new *);

/*
 * Reads their results.  Fills in v->index, v->needs_crate, v->buried and v->there; whoever asks has to
 * see to quotas.
 * What v does not know yet (cksum NULL, an empty index_line) counts as good.
 * -1: 403 where the crate is not the caller's, 403 "package protected: ...", 403 where the token's
 * limits are against it, 400 "crate was previously named ...", 400 "crate ... was recently deleted
 * ...", 400 where the version is there already, or was deleted and can come back or had other bytes, 400
 * where the index file would be too large, 400 "no known crate named ..." of a dependency in the same
 * registry, unless it is an import, whose crates come in any order.
 */
int version_check_judge(struct db *, const struct db_call *, struct version_new *, struct err *)
    __attribute__((warn_unused_result));

/* What the quotas must have room for. */
void version_check_quota(const struct version_new *, int64_t need[QUOTA__MAX]);

/*
 * The same without a lock, before the bytes are read, and whether the quotas have room.  -1: as above, 403
 * where a quota has none.
 */
enum { VERSION_CHECK_EARLY_CALLS = VERSION_CHECK_CALLS + 1 };
void version_check_early_calls(struct db_call *, struct arena *, const struct version_new *);
int version_check_early_judge(struct db *, const struct db_call *, struct version_new *, struct err *)
    __attribute__((warn_unused_result));

/* The one rule that waits for the bytes.  -1: 400 where the version was deleted and had others. */
int version_check_bytes(const struct version_new *, struct err *)
    __attribute__((warn_unused_result));

#endif
