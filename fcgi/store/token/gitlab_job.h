#ifndef STORE_TOKEN_GITLAB_JOB_H
#define STORE_TOKEN_GITLAB_JOB_H

/*
 * Keeps GitLab's answers about tokens of its jobs for a while, for all workers: a running job is a row of
 * tokens, found by the digest of its CI_JOB_TOKEN.  It also remembers refused tokens, and that GitLab
 * cannot be reached.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/audit.h"
#include "store/db/db.h"
#include "store/token/gitlab_pin.h"

enum {
	GITLAB_JOB_GOOD_S = 60, /* how long an answer counts */
	GITLAB_JOB_REFUSED_S = 60,
	GITLAB_JOB_AWAY_S = 15 /* how long nobody asks one that did not answer */
};

enum gitlab_job_ask {
	GITLAB_JOB_ASK, /* ask GitLab: the token is new */
	GITLAB_JOB_ASK_AGAIN, /* ask GitLab: it has vouched for the token before */
	GITLAB_JOB_REFUSED, /* it was asked of late, or the token was revoked here */
	GITLAB_JOB_AWAY /* nobody can be asked */
};

/*
 * Finds out whether to ask GitLab about the credential with this digest.  *was_away: GitLab did not answer
 * before, and the pause is over: call gitlab_job_try() before you ask.  -1: 503.
 */
int gitlab_job_ask(struct db *, struct arena *, struct slice digest, enum gitlab_job_ask *, bool *was_away,
    struct err *) __attribute__((warn_unused_result));

/*
 * Call it after an outage, just before you ask GitLab.  *mine: it is your turn, and nobody else asks for
 * GITLAB_JOB_AWAY_S, or until gitlab_job_set_away() says that GitLab answers; or the outage is over.  -1:
 * 503.
 */
int gitlab_job_try(struct db *, struct arena *, bool *mine, struct err *)
    __attribute__((warn_unused_result));

/* Notes that GitLab does not answer, or answers again.  -1: 503. */
int gitlab_job_set_away(struct db *, struct arena *, bool away, struct err *)
    __attribute__((warn_unused_result));

int gitlab_job_refuse(struct db *, struct arena *, struct slice digest, struct err *)
    __attribute__((warn_unused_result));

/*
 * *known: the user and the project exist here, and the token was not revoked.  The first job of a user, and
 * of a project, pins them to GitLab's numbers.  -1: 401 they are pinned to other numbers, 503.
 */
int gitlab_job_admit(struct db *, struct arena *, const struct audit_actor *,
    const struct gitlab_job *, bool *known, struct err *) __attribute__((warn_unused_result));

#endif
