#ifndef AUTH_GITLAB_ANSWER_H
#define AUTH_GITLAB_ANSWER_H

/* What GitLab says about the job of a job token (its documentation: Jobs API, "Get job token's job"). */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "store/token/gitlab_job.h"

/*
 * Reads the answer of the GitLab that `job` names, and fills in the job, its user and its project: the one
 * that `projects` (gitlab_projects of berth.conf) gives to GitLab's id, or else the one of the same path,
 * with that id.  *status: "running", for example.  Strings live as long as the arena.  -1: 400, the answer
 * makes no sense, or describes a job of another server; 401, the project here is that of another GitLab
 * project.
 */
int gitlab_answer_parse(struct arena *, struct slice body, const char *projects, struct gitlab_job *job,
    const char **status, struct err *) __attribute__((warn_unused_result));

#endif
