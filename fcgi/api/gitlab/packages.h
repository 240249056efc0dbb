#ifndef API_GITLAB_PACKAGES_H
#define API_GITLAB_PACKAGES_H

/*
 * Lists of packages, of a project or a group, as GitLab's clients know them
 * (berth-api(7), Packages).  A package is one version of a crate.
 */

#include "call/call.h"

extern const struct route_policy packages_policy;
extern const struct route_policy packages_group_policy;

/* 200 with a page; 400 for a malformed parameter, or a page beyond PAGINATION_NUMBER_MAX. */
int packages_list(struct call *, struct request *, struct response *);

/* The same for those projects below the group whose packages the caller may read. */
int packages_list_group(struct call *, struct request *, struct response *);

#endif
