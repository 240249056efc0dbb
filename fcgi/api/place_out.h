#ifndef API_PLACE_OUT_H
#define API_PLACE_OUT_H

/* Projects, groups and users, as GitLab's clients read them. */

#include "base/json.h"
#include "store/place_entry.h"

/* The members of each, without the braces, so that more can follow. */
void place_out_project(struct json_out *, const struct project_entry *, const char *external_url);
void place_out_group(struct json_out *, const struct group_entry *, const char *external_url);

#endif
