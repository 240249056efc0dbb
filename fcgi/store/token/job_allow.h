#ifndef STORE_TOKEN_JOB_ALLOW_H
#define STORE_TOKEN_JOB_ALLOW_H

/*
 * The allow-list of a project: the other projects and groups whose jobs may use its packages.  Its own jobs
 * always may.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"

enum { JOB_ALLOW_MAX = 200 }; /* entries of one project: each is looked at in a request */

struct job_allow {
	const char *from; /* full path of a group or project */
	bool admin; /* may publish and yank; else only read */
	int64_t from_group_id; /* one of these two is 0 */
	int64_t from_project_id;
};

/*
 * Makes or replaces the entry for the project or group `from`; policies NULL: removes it; a missing entry
 * is no error.  -1: 400 a malformed path or one entry too many, 404 no such project or group.
 */
int job_allow_set(struct db *, struct arena *, const struct audit_actor *, const char *project,
    const char *from, const char *policies, int64_t *project_id, struct err *)
    __attribute__((warn_unused_result));

/* All of one project, by path. */
int job_allow_list(struct db *, struct arena *, const char *project, struct job_allow **,
    size_t *n, struct err *) __attribute__((warn_unused_result));

/*
 * *limited: the list limits jobs.  If it does not, jobs of every project come in, with the rights of the
 * users who started them.
 */
int job_allow_limited(struct db *, struct arena *, int64_t project_id, bool *limited, struct err *)
    __attribute__((warn_unused_result));
int job_allow_limit(struct db *, struct arena *, const struct audit_actor *, int64_t project_id,
    bool limited, struct err *) __attribute__((warn_unused_result));

#endif
