#ifndef STORE_NAMESPACE_MEMBER_H
#define STORE_NAMESPACE_MEMBER_H

/*
 * The members of one project or group, as whoever administers it sees and changes them: never
 * beyond their own level, neither in what they grant nor in whom they change.
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
	const char *created_at;
};

/* Which ones: those above as well; whose name has this in it, NULL: all. */
struct namespace_member_filter {
	bool inherited;
	const char *query;
};

/* Whose membership has not ended, by user name. */
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
	NAMESPACE_MEMBER_SET /* whatever it was; to MEMBER_NONE as well */
};

struct namespace_member_set {
	enum namespace_member_change change;
	int64_t user_id; /* 0: by name */
	const char *username;
	int64_t level; /* not of REMOVE */
	int64_t expires_at; /* 0: never */
	bool keeps_end; /* in place of that, what it was */
	int granter; /* the level of who asks; LEVEL_ADMIN and above for administrators */
	bool force; /* even if the place loses its last owner */
};

/*
 * In one transaction, with its audit row.  *user_id: whom it was about.  -1: 404 no such user, or
 * no member; 409 a member already; 403 above the level of who asks, or the place would lose its last owner,
 * at once or, by an earlier end, in time.
 */
int namespace_member_set(struct db *, struct arena *, const struct audit_actor *,
    const struct member_namespace *, const struct namespace_member_set *, int64_t *user_id, struct err *)
    __attribute__((warn_unused_result));

#endif
