#ifndef API_GITLAB_MEMBERS_H
#define API_GITLAB_MEMBERS_H

/* Members of a project or a group, in GitLab's format: /projects and /groups/:id/members. */

#include "call/call.h"

extern const struct route_policy members_policy;
extern const struct route_policy members_change_policy;
extern const struct route_policy members_group_policy;
extern const struct route_policy members_group_change_policy;

/* 200; the `_all` functions also list inherited members, those of the groups above. */
int members_list(struct call *, struct request *, struct response *);
int members_list_all(struct call *, struct request *, struct response *);

/* 200; 404. */
int members_show(struct call *, struct request *, struct response *);
int members_show_all(struct call *, struct request *, struct response *);

/* 201; 400, 404 no such user, 409 a member already, 403 beyond the caller's own level. */
int members_add(struct call *, struct request *, struct response *);

/* 200; 400, 404, 403. */
int members_edit(struct call *, struct request *, struct response *);

/* 204; 404, 403. */
int members_remove(struct call *, struct request *, struct response *);

#endif
