#ifndef API_PLACES_H
#define API_PLACES_H

/*
 * What a client needs to find its way: who it is, what this server is, the projects that it may
 * see, one of them, the groups; in GitLab's shapes.
 */

#include "api/call.h"

extern const struct route_need places_project_need;
extern const struct route_need places_group_need;
extern const struct route_need places_user_need;
extern const struct route_need places_list_need;
extern const struct route_need places_version_need;

/* 200. */
int places_project(struct call *, struct request *, struct response *);
int places_group(struct call *, struct request *, struct response *);

/* 200: those that the caller, a user, may know of; of a group those that anybody may, to anybody. */
int places_projects(struct call *, struct request *, struct response *);
int places_group_projects(struct call *, struct request *, struct response *);

/* The same of groups, in GitLab's three lists: all, those of a group, and those at any depth below it. */
int places_groups(struct call *, struct request *, struct response *);
int places_group_subgroups(struct call *, struct request *, struct response *);
int places_group_descendants(struct call *, struct request *, struct response *);

/* 200: the user whose token it is. */
int places_user(struct call *, struct request *, struct response *);

/* 200. */
int places_version(struct call *, struct request *, struct response *);

#endif
