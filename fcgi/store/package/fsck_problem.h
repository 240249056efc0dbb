#ifndef STORE_PACKAGE_FSCK_PROBLEM_H
#define STORE_PACKAGE_FSCK_PROBLEM_H

/*
 * The state of a check of database, index and store (store/package/fsck.h), and the problems that it finds.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/blob/blob_kind.h"
#include "store/db/db.h"

enum fsck_kind {
	FSCK_INDEX, /* the index file differs from the versions */
	FSCK_BLOB_MISSING, /* a version's bytes are not in the store */
	FSCK_BLOB_SIZE,
	FSCK_BLOB_BYTES, /* they have another SHA-256; only with `deep` */
	FSCK_VERSION, /* a version contradicts itself */
	FSCK_QUOTA, /* a quota counts wrong */
	FSCK__MAX
};

/* "index", "blob missing" ... */
extern const char *const fsck_kind_names[FSCK__MAX];

struct backup_copy;
struct backup_target;

struct fsck_problem {
	enum fsck_kind kind;
	const char *subject; /* crate, version, or path of a project or group */
	const char *detail;
	bool repaired;
};

struct fsck {
	struct db *db;
	const struct blob_store *store;
	bool deep; /* read every blob */
	bool repair; /* rebuild wrong index files and put blobs back from the trash; repair nothing else */
	const char *from; /* the place of blobs that the store lacks, or NULL (store/package/fsck_source.h) */
	const struct backup_target *target; /* if `from` names a bucket; else NULL */
	struct arena *arena; /* lives as long as the check; NULL without `from` */
	struct backup_copy *copy; /* private */
	const char **sound; /* private: blobs of this page that are sound, and were noted as damaged */
	size_t nsound;
	struct audit_actor actor; /* who repairs */
	void (*say)(void *, const struct fsck_problem *);
	void *arg;
	/* what was seen */
	int64_t crates, versions;
	int64_t blobs, orphans; /* blobs that nothing refers to wait for the collector */
	int64_t bytes; /* read, with `deep` */
	int64_t problems, repaired;
};

enum fsck_step { FSCK_INDEXES, FSCK_BLOBS, FSCK_VERSIONS, FSCK_QUOTAS, FSCK_DONE };

/* How far it has come; {0} at the beginning. */
struct fsck_progress {
	enum fsck_step step;
	int64_t after_crate;
	char after_blob[65];
	int64_t after_version;
	int64_t after_quota;
};

/* Reports a problem, and counts it. */
void fsck_report(struct fsck *, enum fsck_kind, const char *subject, const char *detail,
    bool repaired);

#endif
