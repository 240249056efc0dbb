#ifndef API_GITLAB_DEPLOY_TOKENS_H
#define API_GITLAB_DEPLOY_TOKENS_H

/* Deploy tokens of a project or a group, in GitLab's format: /projects and /groups/:id/deploy_tokens. */

#include "call/call.h"

extern const struct route_policy deploy_tokens_policy;
extern const struct route_policy deploy_tokens_change_policy;
extern const struct route_policy deploy_tokens_group_policy;
extern const struct route_policy deploy_tokens_group_change_policy;

/* 200. */
int deploy_tokens_list(struct call *, struct request *, struct response *);

/* 200; 404. */
int deploy_tokens_show(struct call *, struct request *, struct response *);

/* 201, once with the token itself; 400. */
int deploy_tokens_create(struct call *, struct request *, struct response *);

/* 204: it is revoked; 404. */
int deploy_tokens_delete(struct call *, struct request *, struct response *);

#endif
