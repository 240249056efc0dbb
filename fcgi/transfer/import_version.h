#ifndef TRANSFER_IMPORT_VERSION_H
#define TRANSFER_IMPORT_VERSION_H

/*
 * Imports one version: as a publish does, with the same inspection, but by an administrator: no role,
 * protection rule, rate limit or metadata of a client counts.  The manifest in the crate says what the
 * package is.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/publish_policy.h"
#include "config/settings.h"
#include "crate/inspect/inspector.h"
#include "transfer/import_source.h"
#include "store/audit.h"
#include "store/db/db.h"
#include "store/package/inventory.h"

/* What an administrator asks for. */
struct import_job {
	const char *conninfo;
	int64_t timeout_ms; /* of a statement */
	const struct settings *settings;
	const struct publish_policy *policy; /* of the project */
	struct audit_actor actor;
	int64_t project_id;
	const char *from; /* for the audit log */
	/* dependencies on this registry mean the project; the public one by REGISTRY_PUBLIC_URL; NULL: none */
	const char *registry_url;
	bool accept_legacy;
	bool dry_run;
};

/* What has become of a version. */
enum import_result {
	IMPORT_DONE,
	IMPORT_LEGACY, /* done, although a publish would be refused; why */
	IMPORT_THERE, /* the project has it */
	IMPORT_YANKED, /* the project has it, and it is yanked or unyanked now, as in the source */
	IMPORT_REFUSED, /* why */
	IMPORT_DIFFERS, /* the project has the version with other bytes */
	IMPORT_MISSING, /* the source has no bytes */
	IMPORT__VERSIONS, /* the results above are of versions; those below of crates */
	IMPORT_OWNERS = IMPORT__VERSIONS, /* a user owns the crate now, as in the source */
	IMPORT_OWNERS_MISSING, /* nobody here, or nobody who can be an owner, has the name; why */
	IMPORT_DOWNLOADS, /* versions whose downloads before are counted now */
	IMPORT__MAX
};

extern const char *const import_result_names[IMPORT__MAX];

/* What a process needs for one version after the other. */
struct importer {
	const struct import_job *job;
	struct db *db;
	struct inspector *inspector;
	const struct import_remote *remote; /* has crates that no file has; NULL: it does not */
	struct https_connections *connections;
};

/* A crate, and what the project has of it. */
struct import_there {
	const struct import_crate *crate;
	const struct inventory_version *versions;
	size_t n;
};

/*
 * On 0, *why says why, in the arena, where the result has a reason; else it is NULL.  -1: 500 or 503,
 * something else than the version is wrong: the database or the store.
 */
int import_version(const struct importer *, struct arena *, const struct import_there *,
    const struct import_version *, enum import_result *, const char **why, struct err *)
    __attribute__((warn_unused_result));

#endif
