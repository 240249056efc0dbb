#ifndef CRATE_REGISTRY_CONFIG_H
#define CRATE_REGISTRY_CONFIG_H

/* The address of a registry, and its config.json. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* "https://host/api/v4/projects/7/packages/cargo": the registry root, always by numeric id. */
char *registry_url(struct arena *, const char *external_url, int64_t project_id);

/* "https://host/api/v4/groups/7/-/packages/cargo": the same of the registry of a group. */
char *registry_group_url(struct arena *, const char *external_url, int64_t group_id);

/*
 * A name for the registry of a project or group in `[registries.NAME]` of cargo: the last part of its path,
 * or "berth" if cargo might not accept that as a name.
 */
const char *registry_alias(const char *path);

/*
 * The config.json of the registry with that root, {"dl":...,"api":...,"auth-required":...}, which has the
 * same bytes for every caller.  Nix pins them by hash and Bazel copies them into lock files.
 */
struct slice registry_config(struct arena *, const char *root, bool auth_required);

/* The content of a config.json of any registry. */
struct registry_said {
	const char *dl; /* for registry_download_url() */
	const char *api; /* NULL: it has none */
	bool auth_required; /* index and downloads need a token */
};

/* Parses a config.json; strings live in the arena.  -1: 400, with what is wrong. */
int registry_config_parse(struct arena *, struct slice text, struct registry_said *, struct err *)
    __attribute__((warn_unused_result));

/*
 * The address of a crate: `dl` with its markers replaced, or, if it has none, with /NAME/VERSION/download
 * after it (Cargo reference, "Index configuration").  cksum: SHA-256 in hexadecimal digits.
 */
const char *registry_download_url(struct arena *, const char *dl, const char *name, const char *version,
    const char *cksum);

/*
 * The modification time of the file with these bytes: a 31-bit hash, since nginx makes the ETag of time and
 * length, and the ETag must change with the bytes and with nothing else.
 */
int64_t registry_config_time(struct slice config);

#endif
