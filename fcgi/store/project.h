#ifndef STORE_PROJECT_H
#define STORE_PROJECT_H

/* Projects, each in a group; paths are compared whatever their case. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"
#include "store/namespace_ref.h"

struct project {
	int64_t id;
	const char *full_path;
	const char *visibility; /* "private", "internal", "public" */
	bool packages_enabled; /* off: the registry is not there at all */
	bool public_packages; /* anyone may pull, whatever the visibility */
	int64_t created_at;
	const char *anonymous_networks; /* networks from which reading files needs no token; base/cidr.h */
	bool readme_images; /* pages show the images of other web servers to which a README refers */
	const char *mirror_url; /* the project's own value; NULL: it has none */
};

/* "must be private, internal or public" -1: 400. */
int project_check_visibility(const char *, struct err *) __attribute__((warn_unused_result));

/*
 * -1: 400 for a malformed path or visibility, 404 for a missing group, 409
 * where a group or project has the path.
 */
int project_add(struct db *, struct arena *, const struct audit_actor *, const char *full_path,
    const char *visibility, int64_t *id, struct err *) __attribute__((warn_unused_result));

/* The new values of a project; NULL leaves a value as it is. */
struct project_change {
	const char *visibility;
	const bool *packages_enabled;
	const bool *public_packages;
	const bool *readme_images;
	const char *anonymous_networks;
	const char *policy; /* JSON: { "key": "value" }; null: back to the configuration */
};

/* -1: 400, 404. */
int project_set(struct db *, struct arena *, const struct audit_actor *, const char *full_path,
    const struct project_change *, int64_t *id, struct err *) __attribute__((warn_unused_result));

/* -1: 404. */
int project_find(struct db *, struct arena *, const char *full_path, struct project **,
    struct err *) __attribute__((warn_unused_result));

/* A project's own value for a key of berth.conf. */
struct project_setting {
	const char *key;
	const char *value;
};

/* Reads them from projects.policy, a JSON object; NULL: there are none.  -1: 500. */
int project_policy_parse(struct arena *, const char *policy, struct project_setting **, size_t *n,
    struct err *) __attribute__((warn_unused_result));

/* The settings of one project.  If the project does not exist, n is 0.  -1: 503, 500. */
int project_policy(struct db *, struct arena *, const char *full_path, struct project_setting **,
    size_t *n, struct err *) __attribute__((warn_unused_result));

/* Lists all, by path: db_list(). */
int project_list(struct db *, struct arena *, struct err *) __attribute__((warn_unused_result));

/* The next projects of that list; *n is 0 at its end. */
int project_list_next(struct db *, struct arena *, struct project **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
