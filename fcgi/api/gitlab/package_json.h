#ifndef API_GITLAB_PACKAGE_JSON_H
#define API_GITLAB_PACKAGE_JSON_H

/* Packages, their pipelines and files, as GitLab's clients read them (berth-api(7), Packages). */

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "store/package/package_entry.h"

/* For whom the JSON is, and in which list. */
struct package_audience {
	const char *external_url;
	bool can_delete; /* the package has a link by which it is deleted */
	/*
	 * shows creator and pipelines, which name people and hosts of the CI system; false: null and an
	 * empty array
	 */
	bool sees_pipelines;
	bool of_group; /* the JSON names the package's project */
};

/* The members of a package, without the braces. */
void package_json_members(struct json_out *, const struct package_entry *,
    const struct package_audience *);

/* {"id", "version", "created_at", "tags", "pipelines"}: another version, of one that is shown. */
void package_json_version(struct json_out *, const struct package_entry *,
    const struct package_audience *);

/* An array: the pipeline, or nothing. */
void package_json_pipelines(struct json_out *, const struct package_entry *,
    const struct package_audience *);

/* The one file of a package, which has its id. */
void package_json_file(struct json_out *, const struct package_entry *,
    const struct package_audience *);

#endif
