#ifndef API_PACKAGES_H
#define API_PACKAGES_H

/*
 * Lists of packages, of a project or a group, in the shapes that GitLab's clients know
 * (access.md section 5.3).  A package is one version of a crate.
 */

#include "api/call.h"

extern const struct route_need packages_need;
extern const struct route_need packages_group_need;

/*
 * 200 with a page; 400 for a parameter that cannot be, or a page further on than lists of any
 * length are turned.
 */
int packages_list(struct call *, struct request *, struct response *);

/* The same, of those projects below the group whose packages the caller may read. */
int packages_list_group(struct call *, struct request *, struct response *);

#endif
