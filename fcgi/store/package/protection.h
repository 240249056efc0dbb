#ifndef STORE_PACKAGE_PROTECTION_H
#define STORE_PACKAGE_PROTECTION_H

/*
 * Protection rules: under some names of a project only people of a certain level
 * may publish.  A pattern and a name are compared in the normal form of a name, so
 * that another spelling never gets past a rule; `*` stands for any characters, also
 * for none.  Any rule that matches protects.
 */

#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"

enum {
	PROTECTION_PATTERN_MAX = 255, /* bytes */
	PROTECTION_RULES_MAX = 100 /* of one project */
};

/* As in the database; members' levels, and above them the administrators. */
enum protection_level {
	PROTECTION_NONE = 0, /* the rule says nothing of this */
	PROTECTION_MAINTAINER = 40,
	PROTECTION_OWNER = 50,
	PROTECTION_ADMIN = 60
};

struct protection_rule {
	int64_t id;
	const char *pattern; /* as it was given */
	int64_t push; /* enum protection_level: to publish, yank and unyank */
	int64_t delete;
	int64_t created_at;
};

/* "maintainer", "owner", "admin"; NULL for PROTECTION_NONE. */
const char *protection_level_name(int64_t);

/* `least` and what lies above it.  -1: 400, naming the words that there are. */
int protection_level_parse(const char *word, enum protection_level least, int64_t *level,
    struct err *) __attribute__((warn_unused_result));

/* A pattern that could match a name.  -1: 400. */
int protection_check_pattern(const char *, struct err *) __attribute__((warn_unused_result));

/*
 * Takes pattern, push and delete, of which one must be there.  -1: 400, 404 no such
 * project, 409 the project has such a rule, or as many as it can have.
 */
int protection_add(struct db *, struct arena *, const struct audit_actor *, const char *full_path,
    const struct protection_rule *, int64_t *id, struct err *) __attribute__((warn_unused_result));

/*
 * The changes; NULL leaves a value as it is.  Changing or removing a rule needs the highest level
 * that the rule names, before and after: else the users that a rule keeps out could remove it.
 */
struct protection_change {
	int64_t by; /* the level of the caller, by access_push_level() */
	const char *pattern;
	const int64_t *push; /* enum protection_level, as the next one */
	const int64_t *delete;
};

/* *rule: the rule after the change.  -1: 400, 403 the level is too low, 404 no such rule, 409. */
int protection_change(struct db *, struct arena *, const struct audit_actor *,
    const char *full_path, int64_t id, const struct protection_change *,
    struct protection_rule *, struct err *) __attribute__((warn_unused_result));

/* `by`: the level of the caller.  -1: 400, 403 it is too low, 404 the project has no such rule. */
int protection_remove(struct db *, struct arena *, const struct audit_actor *,
    const char *full_path, int64_t id, int64_t by, struct err *)
    __attribute__((warn_unused_result));

/* In the order in which they came.  -1: 400, 404. */
int protection_list(struct db *, struct arena *, const char *full_path, struct protection_rule **,
    size_t *n, struct err *) __attribute__((warn_unused_result));

/*
 * Fills in the call: which rule keeps `level` from publishing under that name?  A level of
 * 0 passes no rule.
 */
void protection_call(struct db_call *, int64_t project_id, const char *normalized_name, int level);

/* The same for deleting. */
void protection_delete_call(struct db_call *, int64_t project_id, const char *normalized_name,
    int level);

/* Reads the result of either call.  -1: 403 "package protected: ...", naming rule and level. */
int protection_judge(const struct db_call *, struct err *) __attribute__((warn_unused_result));

#endif
