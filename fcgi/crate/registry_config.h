#ifndef CRATE_REGISTRY_CONFIG_H
#define CRATE_REGISTRY_CONFIG_H

/* Where a registry is, and what its config.json says. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

/* "https://host/api/v4/projects/7/packages/cargo": the registry root, always by numeric id. */
char *registry_url(struct arena *, const char *external_url, int64_t project_id);

/*
 * {"dl":...,"api":...,"auth-required":...}: the same bytes for every caller.  Nix pins them by hash
 * and Bazel copies them into lock files.
 */
struct slice registry_config(struct arena *, const char *external_url, int64_t project_id,
    bool auth_required);

#endif
