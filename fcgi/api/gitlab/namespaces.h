#ifndef API_GITLAB_NAMESPACES_H
#define API_GITLAB_NAMESPACES_H

/*
 * What a client needs to find its way: who it is, what this server is, the projects that it may
 * see, one of them, the groups; in GitLab's format.
 */

#include "call/call.h"

extern const struct route_policy namespaces_project_policy;
extern const struct route_policy namespaces_group_policy;
extern const struct route_policy namespaces_user_policy;
extern const struct route_policy namespaces_list_policy;
extern const struct route_policy namespaces_version_policy;

/* 200. */
int namespaces_project(struct call *, struct request *, struct response *);
int namespaces_group(struct call *, struct request *, struct response *);

/* 200: the projects that the caller, a user, may know of; in a group, without a token, the public ones. */
int namespaces_projects(struct call *, struct request *, struct response *);
int namespaces_group_projects(struct call *, struct request *, struct response *);

/* The same of groups, in GitLab's three lists: all, those of a group, and those at any depth below it. */
int namespaces_groups(struct call *, struct request *, struct response *);
int namespaces_group_subgroups(struct call *, struct request *, struct response *);
int namespaces_group_descendants(struct call *, struct request *, struct response *);

/* 200: the user whose token it is. */
int namespaces_user(struct call *, struct request *, struct response *);

/* 200. */
int namespaces_version(struct call *, struct request *, struct response *);

#endif
