#ifndef STORE_PLACE_MEMBER_H
#define STORE_PLACE_MEMBER_H

/*
 * The members of one project or group, as whoever administers it sees and changes them: never
 * beyond their own level, neither in what they grant nor in whom they change.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db.h"

struct member_place {
	int64_t project_id; /* one of these two is 0 */
	int64_t group_id;
	const char *full_path;
};

struct place_member {
	int64_t user_id;
	const char *username;
	const char *name;
	const char *state;
	int64_t level;
	const char *expires_at; /* a day; NULL: never */
	const char *created_at;
};

/* Which ones: those above as well; whose name has this in it, NULL: all. */
struct place_member_filter {
	bool inherited;
	const char *query;
};

/* Whose membership has not ended, by user name. */
int place_member_list(struct db *, struct arena *, const struct member_place *,
    const struct place_member_filter *, struct place_member **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* -1: 404 the user is no member. */
int place_member_find(struct db *, struct arena *, const struct member_place *, bool inherited,
    int64_t user_id, struct place_member *, struct err *) __attribute__((warn_unused_result));

enum place_member_change { PLACE_MEMBER_ADD, PLACE_MEMBER_EDIT, PLACE_MEMBER_REMOVE };

struct place_member_set {
	enum place_member_change change;
	int64_t user_id; /* 0: by name */
	const char *username;
	int64_t level; /* of ADD and EDIT */
	int64_t expires_at; /* 0: never */
	bool keeps_end; /* of EDIT: in place of that, what it was */
	int granter; /* the level of who asks; LEVEL_ADMIN and above for administrators */
};

/*
 * In one transaction, with its audit row.  *user_id: whom it was about.  -1: 404 no such user, or
 * no member; 409 a member already; 403 above the level of who asks, or the last owner of a group.
 */
int place_member_set(struct db *, struct arena *, const struct audit_actor *,
    const struct member_place *, const struct place_member_set *, int64_t *user_id, struct err *)
    __attribute__((warn_unused_result));

#endif
