#ifndef API_GITLAB_NAMESPACE_JSON_H
#define API_GITLAB_NAMESPACE_JSON_H

/* Projects, groups and users, as GitLab's clients read them. */

#include "base/json.h"
#include "store/namespace_entry.h"

/* The members of each, without the braces, so that more can follow. */
void namespace_json_project(struct json_out *, const struct project_entry *, const char *external_url);
void namespace_json_group(struct json_out *, const struct group_entry *, const char *external_url);

#endif
