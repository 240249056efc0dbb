#ifndef STORE_GITLAB_PIN_H
#define STORE_GITLAB_PIN_H

/*
 * Which user and project of a GitLab ours stand for, by its numbers.  Names are how they are found for the
 * first time; a name that becomes somebody else's, or that changes, is refused from then on.
 */

#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db.h"
#include "store/gitlab_job.h"

/*
 * Inside a transaction: pins what is not pinned yet.  -1: 401, which names both, where the user or the
 * project stands for another one; 503.
 */
int gitlab_pin_check(struct db *, struct arena *, const struct gitlab_job *, int64_t user_id,
    int64_t project_id, struct err *) __attribute__((warn_unused_result));

enum gitlab_pin_kind { GITLAB_PIN_USER, GITLAB_PIN_PROJECT };

struct gitlab_pin {
	const char *name; /* ours: username or full path */
	const char *gitlab; /* its address */
	int64_t gitlab_id;
	const char *gitlab_name; /* when it was pinned */
	int64_t created_at;
};

/* All of one kind, by our names. */
int gitlab_pin_list(struct db *, struct arena *, enum gitlab_pin_kind, struct gitlab_pin **,
    size_t *n, struct err *) __attribute__((warn_unused_result));

/* The next job that comes by that name pins it anew.  -1: 404 there is no such user or project. */
int gitlab_pin_remove(struct db *, struct arena *, const struct audit_actor *, enum gitlab_pin_kind,
    const char *name, int64_t *id, struct err *) __attribute__((warn_unused_result));

#endif
