#ifndef STORE_TOKEN_GITLAB_PIN_H
#define STORE_TOKEN_GITLAB_PIN_H

/*
 * Pins users and projects here to the numbers that a GitLab has for them.  A name finds them the first
 * time.  From then on a name that belongs to another number is refused.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/audit.h"
#include "store/db/db.h"
#include "store/token/token.h"

/* A job that runs, as its GitLab describes it. */
struct gitlab_job {
	struct slice digest;
	const char *gitlab; /* its address */
	int64_t user_id; /* GitLab's number */
	const char *username;
	int64_t project_id; /* GitLab's number; 0: gitlab_projects names the project here */
	const char *project_path; /* the project here */
	const char *name;
	struct token_job job;
};

/*
 * Inside a transaction: pins the user and the project unless they are pinned.  -1: 401 one of them is
 * pinned to another number, and the error names both; 503.
 */
int gitlab_pin_check(struct db *, struct arena *, const struct gitlab_job *, int64_t user_id,
    int64_t project_id, struct err *) __attribute__((warn_unused_result));

enum gitlab_pin_kind { GITLAB_PIN_USER, GITLAB_PIN_PROJECT };

struct gitlab_pin {
	const char *name; /* here: username or full path */
	const char *gitlab; /* the address of the GitLab */
	int64_t gitlab_id;
	const char *gitlab_name; /* GitLab's name when it was pinned */
	int64_t created_at;
};

/* Lists all pins of one kind, ordered by the names here: db_list(). */
int gitlab_pin_list(struct db *, struct arena *, enum gitlab_pin_kind, struct err *)
    __attribute__((warn_unused_result));

/* The next pins of that list; *n is 0 at its end. */
int gitlab_pin_list_next(struct db *, struct arena *, struct gitlab_pin **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* Removes the pin; the next job with that name pins it anew.  -1: 404 no such user or project. */
int gitlab_pin_remove(struct db *, struct arena *, const struct audit_actor *, enum gitlab_pin_kind,
    const char *name, int64_t *id, struct err *) __attribute__((warn_unused_result));

#endif
