#ifndef API_GITLAB_JOB_TOKENS_H
#define API_GITLAB_JOB_TOKENS_H

/*
 * Routes for your own CI system, which holds a deploy token with the scope `create_job_token`: it makes a
 * token when a job begins and revokes it when the job ends.  The job itself can ask who it is.
 */

#include "call/call.h"

extern const struct route_policy job_tokens_policy;
extern const struct route_policy job_policy;

/*
 * POST .../job_tokens with user, pipeline, job, and perhaps ref, commit, job_url, name, ttl: 201
 * {"id","token","expires_at"}.  Raises 400, 404 where that user is no member.
 */
int job_tokens_create(struct call *, struct request *, struct response *);

/* DELETE .../job_tokens/:token_id: 204.  Raises 404 for what was not made here. */
int job_tokens_end(struct call *, struct request *, struct response *);

/* GET /api/v4/job: the job whose token it is, in GitLab's format.  Raises 404 for other tokens. */
int job_show(struct call *, struct request *, struct response *);

#endif
