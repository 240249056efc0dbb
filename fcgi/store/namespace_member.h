#ifndef STORE_NAMESPACE_MEMBER_H
#define STORE_NAMESPACE_MEMBER_H

/*
 * The members of one project or group, as its owners and maintainers see and change them.  They cannot
 * grant a level above their own, nor change a member above it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"
#include "store/member.h"

struct namespace_member {
	int64_t user_id;
	const char *username;
	const char *name;
	const char *state;
	int64_t level;
	const char *expires_at; /* a day; NULL: never */
	int64_t ends_at; /* the moment; 0: never */
	const char *created_at;
};

/* Selects members: also inherited ones; only those whose name includes `query`, NULL: all. */
struct namespace_member_filter {
	bool inherited;
	const char *query;
};

/* Lists members whose membership has not ended, by user name. */
int namespace_member_list(struct db *, struct arena *, const struct member_namespace *,
    const struct namespace_member_filter *, struct namespace_member **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* -1: 404 the user is no member. */
int namespace_member_find(struct db *, struct arena *, const struct member_namespace *, bool inherited,
    int64_t user_id, struct namespace_member *, struct err *) __attribute__((warn_unused_result));

enum namespace_member_change {
	NAMESPACE_MEMBER_ADD,
	NAMESPACE_MEMBER_EDIT,
	NAMESPACE_MEMBER_REMOVE,
	NAMESPACE_MEMBER_SET /* sets the level, whether or not the user is a member; MEMBER_NONE removes */
};

struct namespace_member_set {
	enum namespace_member_change change;
	int64_t user_id; /* 0: by name */
	const char *username;
	int64_t level; /* not of REMOVE */
	int64_t expires_at; /* 0: never */
	bool keeps_end; /* keeps the old end instead */
	int granter; /* the level of the caller; LEVEL_ADMIN and above for administrators */
	bool force; /* even if the place loses its last owner */
};

/*
 * Makes the change in one transaction with its audit row.  *user_id: the user.  -1: 404 no such user, or no
 * member; 409 the user is a member already; 403 above the caller's level, or the namespace would lose its
 * last owner, now or when a membership ends.
 */
int namespace_member_set(struct db *, struct arena *, const struct audit_actor *,
    const struct member_namespace *, const struct namespace_member_set *, int64_t *user_id, struct err *)
    __attribute__((warn_unused_result));

#endif
