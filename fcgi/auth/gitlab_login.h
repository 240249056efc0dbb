#ifndef AUTH_GITLAB_LOGIN_H
#define AUTH_GITLAB_LOGIN_H

/*
 * A CI_JOB_TOKEN of the configured GitLab.  Only GitLab knows whether the job is still running: Berth
 * asks it for the job (GET /api/v4/job), and the answer counts for a minute on all workers.  The
 * job's project and user are those with the same path and name here, or what gitlab_projects says.  Their
 * first job pins them to GitLab's numbers (store/token/gitlab_pin.h).
 */

#include "call/call.h"

/*
 * -1: rq->err; 401 the job does not run, or Berth does not know its project or user; 429 too many refused
 * tokens came from this address; 503 GitLab cannot be asked.
 */
int gitlab_login(struct call *, struct request *)
    __attribute__((warn_unused_result));

#endif
