#ifndef CONFIG_PUBLISH_POLICY_H
#define CONFIG_PUBLISH_POLICY_H

/*
 * The limits and rules for publishes into one project: those of the configuration, replaced by the
 * project's own where it has some.  It is made once per publish, and every check uses it.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "config/settings.h"
#include "crate/package.h"
#include "store/project.h"

struct publish_policy {
	uint32_t max_metadata_size;
	uint32_t max_crate_size;
	int64_t max_unpacked_size;
	int64_t max_entries;
	const char *reserved_names; /* besides those that are always reserved */
	const char *required_metadata;
	const char *mirror_url; /* of the registry whose crates the project has; "": it is no mirror */
	struct package_limits limits;
};

/*
 * Makes the policy for a publish into a project.  own: the project's own settings, as the database has them;
 * NULL: none.  -1: 403 the project is a mirror, into which nobody publishes; 500 the project has a setting
 * that this program does not understand, so that it refuses the publish rather than allow too much.
 */
int publish_policy_read(struct arena *, const struct settings *, int64_t project_id, const char *own,
    struct publish_policy *, struct err *) __attribute__((warn_unused_result));

/*
 * The same from n settings, also of a mirror.  Of two max_crate_size the smaller counts, since nginx and
 * the pool bound the body by the configuration's.  Strings live in the arena, or in the
 * settings.
 */
int publish_policy_merge(struct arena *, const struct settings *, int64_t project_id,
    const struct project_setting *own, size_t n, struct publish_policy *, struct err *)
    __attribute__((warn_unused_result));

/*
 * The registry of which a project is a mirror, as mirror_url has it; NULL: the project is none.  own: the
 * project's own value; NULL: it has none.  The settings are NULL where there is no configuration.
 * Lives in the arena, or in the settings.
 */
const char *publish_policy_mirror(struct arena *, const struct settings *, const char *own);

#endif
