#ifndef TRANSFER_IMPORT_VERSION_H
#define TRANSFER_IMPORT_VERSION_H

/*
 * Imports one version as a publish does, with the same inspection, but for an administrator: no role,
 * protection rule, rate limit or client's metadata counts.  The manifest in the crate is the only source of
 * metadata.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/publish_policy.h"
#include "config/settings.h"
#include "crate/inspect/inspector.h"
#include "transfer/import_registry.h"
#include "transfer/import_source.h"
#include "store/audit.h"
#include "store/db/db.h"
#include "store/package/inventory.h"

/* The import that an administrator wants. */
struct import_job {
	const char *conninfo;
	int64_t timeout_ms; /* of a statement */
	const struct settings *settings;
	const struct publish_policy *policy; /* of the project */
	struct audit_actor actor;
	int64_t project_id;
	const char *from; /* for the audit log */
	/* dependencies on these mean the project; the public one by REGISTRY_PUBLIC_URL; NULL: no more */
	const char *registries[IMPORT_REGISTRIES_MAX];
	const char *registry_advice; /* as in struct package_limits */
	bool accept_legacy;
	bool dry_run;
};

/* The result of importing a version, or the owners and downloads of a crate. */
enum import_result {
	IMPORT_DONE,
	IMPORT_LEGACY, /* imported, although a publish would be refused; with the reason */
	IMPORT_THERE, /* the project has it */
	IMPORT_YANKED, /* the project had it; it is now yanked or unyanked, as in the source */
	IMPORT_REFUSED, /* with the reason */
	IMPORT_DIFFERS, /* the project has the version with other bytes */
	IMPORT_MISSING, /* the source does not have the bytes */
	IMPORT__VERSIONS, /* the results above are of versions; those below of crates */
	IMPORT_OWNERS = IMPORT__VERSIONS, /* users became owners, as in the source */
	IMPORT_OWNERS_MISSING, /* no user who can be an owner has the name; with the reason */
	IMPORT_DOWNLOADS, /* versions whose earlier downloads were set */
	IMPORT_UNTIMED, /* versions with the time of the import; with the reason if the source has a wrong one */
	IMPORT__MAX
};

extern const char *const import_result_names[IMPORT__MAX];

/* The state of a process for all versions that it imports. */
struct importer {
	const struct import_job *job;
	struct db *db;
	struct inspector *inspector;
	const struct import_remote *remote; /* has the crates that are in no file; NULL: there is none */
	struct https_connections *connections;
};

/* A crate, and the versions of it that the project has already. */
struct import_there {
	const struct import_crate *crate;
	const struct inventory_version *versions; /* as inventory_versions() sorts them */
	size_t n;
};

/* The outcome for a version; strings live in the arena. */
struct import_outcome {
	enum import_result result;
	const char *why; /* the reason, if the result has one; else NULL */
	bool is_untimed; /* it got the time of the import */
	const char *odd_time; /* what is wrong with the time that the source has; NULL: it has none, or a good one */
};

/* -1: 500 or 503, not the version but the database or the store has failed. */
int import_version(const struct importer *, struct arena *, const struct import_there *,
    const struct import_version *, struct import_outcome *, struct err *)
    __attribute__((warn_unused_result));

#endif
