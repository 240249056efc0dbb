#ifndef STORE_PACKAGE_RETENTION_H
#define STORE_PACKAGE_RETENTION_H

/* The retention policy of a project, and the versions that it would delete now. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crate/retention.h"
#include "store/audit.h"
#include "store/db/db.h"

struct retention {
	int64_t project_id;
	const char *project; /* full path */
	bool exists; /* the project has a policy */
	bool enabled; /* berth-worker follows it */
	struct retention_policy policy;
	const char *exclude; /* patterns of names with commas, in normal form; "" none */
};

/* The new values of a policy. */
struct retention_change {
	const bool *enabled; /* NULL leaves as it is */
	/* INT64_MIN leaves as it is; RETENTION_ALL takes the limit away */
	int64_t keep_prereleases;
	int64_t unused_days;
	int64_t keep_newest; /* at least 1 */
	const char *exclude; /* NULL leaves as it is; as protection_check_pattern() has them */
};

/* -1: 404. */
int retention_set(struct db *, struct arena *, const struct audit_actor *, const char *project,
    const struct retention_change *, struct err *) __attribute__((warn_unused_result));

/* -1: 404 no such project; of one without a policy `exists` is false. */
int retention_find(struct db *, struct arena *, const char *project, struct retention *,
    struct err *) __attribute__((warn_unused_result));

/* The first project at or after that id whose policy is enabled; `exists` is false without one. */
int retention_next(struct db *, struct arena *, int64_t project_id, struct retention *,
    struct err *) __attribute__((warn_unused_result));

/* A version that the policy deletes. */
struct retention_item {
	int64_t version_id;
	const char *crate;
	const char *version;
	int64_t size;
	int64_t published_at;
	int64_t last_used_at; /* downloaded, or imported; 0: never */
	enum retention_why why;
	int64_t kept_id; /* the version of the crate that stays in any case: retention_judge() */
	bool yanked, kept_yanked; /* whether this version and that one were yanked when the crate was judged */
};

/*
 * Lists the versions that the policy deletes, for the next crates after *after_crate, which becomes the
 * last of these crates; *more: further crates follow.  It leaves out crates that a protection rule protects
 * from deletion.
 */
int retention_page(struct db *, struct arena *, const struct retention *, int64_t *after_crate,
    bool *more, struct retention_item **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

enum { RETENTION_DELETE_MAX = 100 };

/*
 * Deletes the first versions of the n, at most RETENTION_DELETE_MAX and all of one crate, in one transaction
 * (store/package/version_delete.h): the crate is locked for no longer than that takes, and its index is
 * rebuilt once.  *done: how many it has dealt with; those of them that stay get RETENTION_KEEP.  A version
 * that is already deleted is no error.  None is deleted if somebody has meanwhile deleted or yanked the
 * version that must stay; one that somebody has unyanked stays.  -1: *done counts all versions of this crate,
 * and those that are not deleted get RETENTION_KEEP.
 */
int retention_delete(struct db *, const struct audit_actor *, const struct retention *,
    struct retention_item *, size_t n, size_t *done, struct err *) __attribute__((warn_unused_result));

#endif
