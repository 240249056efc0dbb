#ifndef STORE_TOKEN_JOB_ALLOW_H
#define STORE_TOKEN_JOB_ALLOW_H

/*
 * The allow-list of a project: from which other projects, or groups of them, jobs may use its
 * packages.  Its own jobs always may.
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
 * Makes the entry, or, where there is one for the place, replaces it; policies NULL: removes it,
 * also where there is none.  -1: 400 for a malformed path or one entry too many, 404 for a
 * missing project or place.
 */
int job_allow_set(struct db *, struct arena *, const struct audit_actor *, const char *project,
    const char *from, const char *policies, int64_t *project_id, struct err *)
    __attribute__((warn_unused_result));

/* All of one project, by path. */
int job_allow_list(struct db *, struct arena *, const char *project, struct job_allow **,
    size_t *n, struct err *) __attribute__((warn_unused_result));

/*
 * Does the list count?  Where it does not, jobs of every project come in, as the users who have
 * started them.
 */
int job_allow_limited(struct db *, struct arena *, int64_t project_id, bool *limited, struct err *)
    __attribute__((warn_unused_result));
int job_allow_limit(struct db *, struct arena *, const struct audit_actor *, int64_t project_id,
    bool limited, struct err *) __attribute__((warn_unused_result));

#endif
