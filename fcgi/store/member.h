#ifndef STORE_MEMBER_H
#define STORE_MEMBER_H

/* Who may do what where.  A member of a group is a member of everything below it. */

#include <stddef.h>
#include <stdint.h>

#include "store/db/db.h"

/* As in the database; MEMBER_NONE is the absence of a row. */
enum member_level {
	MEMBER_NONE = 0,
	MEMBER_GUEST = 10,
	MEMBER_REPORTER = 20,
	MEMBER_DEVELOPER = 30,
	MEMBER_MAINTAINER = 40,
	MEMBER_OWNER = 50
};

struct member {
	int64_t user_id;
	const char *username;
	const char *path; /* of the group or project */
	int64_t level;
	int64_t expires_at; /* 0: never */
};

/* "guest" ... "owner", "none"; "?" for a number that is no level. */
const char *member_level_name(int64_t);

/* -1: 400, naming the words that there are. */
int member_level_parse(const char *word, enum member_level *, struct err *)
    __attribute__((warn_unused_result));

/* Where people are members; one of the ids is 0. */
struct member_namespace {
	int64_t project_id;
	int64_t group_id;
	const char *full_path;
};

/* The group or project of that path.  -1: 400 for a malformed path, 404. */
int member_find_namespace(struct db *, struct arena *, const char *path, struct member_namespace *,
    struct err *) __attribute__((warn_unused_result));

/*
 * Lists all, or those of one path (which must exist: 404) without those of what lies above it, by path and
 * name: db_list().
 */
int member_list(struct db *, struct arena *, const char *path, struct err *)
    __attribute__((warn_unused_result));

/* The next members of that list; *n is 0 at its end. */
int member_list_next(struct db *, struct arena *, struct member **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
