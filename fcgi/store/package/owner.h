#ifndef STORE_PACKAGE_OWNER_H
#define STORE_PACKAGE_OWNER_H

/*
 * Owners of a crate: the maintainers and owners of its project, by their role in it or above it, and users
 * who own the crate itself.  These functions add and remove only the latter; they read the project as a
 * reporter does, and publish and yank this crate as a developer does.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access/token_limits.h"
#include "store/audit.h"
#include "store/db/db.h"

enum { OWNER_NAMES_MAX = 10 };

struct owner {
	int64_t user_id;
	const char *username;
	const char *name;
	const char *email;
	int64_t level; /* of the role, enum member_level; 0: owns the crate itself */
};

/*
 * The owners of that crate, whose name may be in any spelling: roles first.  -1: 404 "crate `name` does not
 * exist".
 */
int owner_list(struct db *, struct arena *, int64_t project_id, const char *crate,
    struct owner **, size_t *n, struct err *) __attribute__((warn_unused_result));

struct owner_change {
	struct audit_actor actor;
	struct token_limits limits;
	int64_t project_id;
	const char *crate; /* in any spelling */
	const char *const *usernames;
	size_t n;
	bool add; /* or else take away */
};

/*
 * Adds these users as owners, or removes them: all or none, in one transaction with the crate locked.  A
 * user who is an owner already stays one, without an audit row.  *message: a sentence about what was done.
 * -1: 404 for a crate or user that does not exist; 400 for no or too many names, a user who is blocked, one
 * who is no owner or one by role where there is something to take away, and where nobody would be left; 403
 * where the token's limits are against it; 503.
 */
int owner_change(struct db *, struct arena *, const struct owner_change *, const char **message,
    struct err *) __attribute__((warn_unused_result));

/*
 * Fills in the call: does the user own the crate itself?  user_id 0: the caller's role suffices.  Nobody
 * owns a crate that does not exist.
 */
void owner_check_call(struct db_call *, int64_t project_id, const char *normalized_name,
    int64_t user_id);

/* Refuses a caller who must own the crate, and does not.  Returns -1: 403. */
int owner_refuse(struct err *);

/* Reads the call's result.  -1: 403. */
int owner_check_judge(const struct db_call *, struct err *) __attribute__((warn_unused_result));

#endif
