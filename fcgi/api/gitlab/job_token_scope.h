#ifndef API_GITLAB_JOB_TOKEN_SCOPE_H
#define API_GITLAB_JOB_TOKEN_SCOPE_H

/*
 * The other projects whose jobs a project admits, in GitLab's format: /projects/:id/job_token_scope, its
 * allowlist of projects and that of groups.  An additional attribute, `job_token_policies`, says what these
 * jobs may do.
 */

#include "call/call.h"

extern const struct route_policy job_token_scope_policy;
extern const struct route_policy job_token_scope_change_policy;

/* 200. */
int job_token_scope_show(struct call *, struct request *, struct response *);

/* 204. */
int job_token_scope_change(struct call *, struct request *, struct response *);

/* 200. */
int job_token_scope_projects(struct call *, struct request *, struct response *);
int job_token_scope_groups(struct call *, struct request *, struct response *);

/* 201; 400, 404 also for a project or group that the caller may not know of. */
int job_token_scope_add_project(struct call *, struct request *, struct response *);
int job_token_scope_add_group(struct call *, struct request *, struct response *);

/* 204; 404 where it is not in the list. */
int job_token_scope_remove_project(struct call *, struct request *, struct response *);
int job_token_scope_remove_group(struct call *, struct request *, struct response *);

#endif
