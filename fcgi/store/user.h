#ifndef STORE_USER_H
#define STORE_USER_H

/* People.  Usernames are compared whatever their case. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"

struct user {
	int64_t id;
	const char *username;
	const char *name; /* the display name */
	const char *email;
	bool admin;
	const char *state; /* "active" or "blocked" */
	int64_t created_at;
};

/* Takes username, name, email and admin.  -1: 400 malformed, 409 taken. */
int user_add(struct db *, struct arena *, const struct audit_actor *, const struct user *,
    int64_t *id, struct err *) __attribute__((warn_unused_result));

/*
 * Blocks or unblocks a user.  A blocked user's tokens are refused from the next request on.  force: also if
 * no active administrator is left.  -1: 404; 409 the user is the last active administrator.
 */
int user_set_blocked(struct db *, struct arena *, const struct audit_actor *, const char *username,
    bool blocked, bool force, int64_t *id, struct err *) __attribute__((warn_unused_result));

/* The new values of a user; NULL leaves a value as it is. */
struct user_change {
	const char *name;
	const char *email;
	const bool *admin;
};

/*
 * force: also if no active administrator is left.  -1: 400, 404; 409 the user is the last active
 * administrator.
 */
int user_set(struct db *, struct arena *, const struct audit_actor *, const char *username,
    const struct user_change *, bool force, int64_t *id, struct err *) __attribute__((warn_unused_result));

/* Finds a user by name.  -1: 400 a malformed username, 404. */
int user_find(struct db *, struct arena *, const char *username, int64_t *id, struct err *)
    __attribute__((warn_unused_result));

/* -1: 400 a malformed username, 404, 409 the user is blocked.  The text is for an administrator. */
int user_check_active(struct db *, struct arena *, const char *username, struct err *)
    __attribute__((warn_unused_result));

/* All, in the order in which they came. */
int user_all(struct db *, struct arena *, struct user **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* Lists the same: db_list(). */
int user_list(struct db *, struct arena *, struct err *) __attribute__((warn_unused_result));

/* The next users of that list; *n is 0 at its end. */
int user_list_next(struct db *, struct arena *, struct user **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
