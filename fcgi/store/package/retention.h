#ifndef STORE_PACKAGE_RETENTION_H
#define STORE_PACKAGE_RETENTION_H

/* What a project lets go of by itself: its policy, and what that would delete just now. */

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

/* What is to change. */
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

/* A version that would go. */
struct retention_item {
	int64_t version_id;
	const char *crate;
	const char *version;
	int64_t size;
	int64_t published_at;
	int64_t last_used_at; /* 0: never */
	enum retention_why why;
};

/*
 * What would go of the next crates after *after_crate, which is then the last of them; *more says
 * whether there are others behind it.  Left out are crates that a protection rule keeps from
 * being deleted.
 */
int retention_page(struct db *, struct arena *, const struct retention *, int64_t *after_crate,
    bool *more, struct retention_item **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* Deletes one (store/package/version_delete.h).  What is gone already is no error. */
int retention_delete(struct db *, const struct audit_actor *, const struct retention *,
    const struct retention_item *, struct err *) __attribute__((warn_unused_result));

#endif
