#ifndef STORE_PACKAGE_QUOTA_H
#define STORE_PACKAGE_QUOTA_H

/*
 * Quotas: how many bytes, versions and crates a project may have, or all projects of a group together.
 * Those of a project and of every group above it hold.  A deleted version does not count, even while it
 * waits to be destroyed.
 */

#include <stdint.h>

#include "crate/package.h"
#include "store/audit.h"
#include "store/db/db.h"

enum quota_kind { QUOTA_BYTES, QUOTA_VERSIONS, QUOTA_CRATES, QUOTA__MAX };

/* "quota_bytes" ...: on the command line. */
extern const char *const quota_keys[QUOTA__MAX];

enum { QUOTA_NONE = -1 }; /* no limit */

struct quota {
	const char *namespace; /* full path of the project or group */
	int64_t max[QUOTA__MAX]; /* QUOTA_NONE: no limit */
	int64_t used[QUOTA__MAX];
};

/*
 * Fills in the call of a transaction that has changed the project's versions: it adds `need`, which may be
 * negative.  A publish charges after it has added the version.
 */
void quota_charge_call(struct db_call *, int64_t project_id, const int64_t need[QUOTA__MAX]);

/*
 * Fills in the call: is there room for a version of `bytes` of that crate?  For a name that is not known
 * yet (NULL), need[QUOTA_CRATES] is 0.
 */
void quota_look_call(struct db_call *, int64_t project_id, int64_t bytes,
    const char *normalized_name);

/*
 * Reads the result of either call.  -1: 403, naming the project or group, its limit, what is used and what
 * is needed.  It checks only quotas whose need[], as it was charged, is not 0.
 */
int quota_judge(const struct db_call *, const int64_t need[QUOTA__MAX], struct err *)
    __attribute__((warn_unused_result));

/* The same if the size is only known to be at least need[QUOTA_BYTES]; the sentence says so. */
int quota_judge_least(const struct db_call *, const int64_t need[QUOTA__MAX], struct err *)
    __attribute__((warn_unused_result));

/* Appends to *out a sentence for each quota that is nearly used up, of a call that was judged. */
void quota_warnings(const struct db_call *, struct arena *, struct strings *out);

/* max[]: INT64_MIN leaves a quota as it is.  It counts what exists, while nobody can publish.  -1: 404. */
int quota_set(struct db *, struct arena *, const struct audit_actor *, const char *full_path,
    const int64_t max[QUOTA__MAX], struct err *) __attribute__((warn_unused_result));

/* All quotas, by path; with full_path only those of this project or group. */
int quota_list(struct db *, struct arena *, const char *full_path, struct quota **, size_t *n,
    struct err *) __attribute__((warn_unused_result));

#endif
