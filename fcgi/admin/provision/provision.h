#ifndef ADMIN_PROVISION_PROVISION_H
#define ADMIN_PROVISION_PROVISION_H

/*
 * Describes an object that should exist: its kind, the names that identify it, and its values.  All values
 * are text, as on the command line.  Kinds and their keys are a table, so the commands that create
 * (--if-missing) and berth apply find, compare and write objects in the same way, by the functions of
 * store/.
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/audit.h"
#include "store/db/db.h"

struct settings;

/* Berth makes objects in this order, because later kinds need earlier ones. */
enum provision_kind {
	PROVISION_USER,
	PROVISION_GROUP,
	PROVISION_ISSUER,
	PROVISION_PROJECT,
	PROVISION_REGISTRY,
	PROVISION_MEMBER,
	PROVISION_ALLOW,
	PROVISION_PROTECT,
	PROVISION_TRUST,
	PROVISION__MAX
};

/* The keys of each kind that a command reads or sets, as indices of `values`. */
enum { USER_EMAIL, USER_NAME, USER_ADMIN, USER_BLOCKED };
enum { GROUP_NETWORKS, GROUP_QUOTA };
enum { ISSUER_KIND, ISSUER_AUDIENCE, ISSUER_JWKS_URL, ISSUER_ENABLED };
enum {
	PROJECT_VISIBILITY,
	PROJECT_PACKAGES_ENABLED,
	PROJECT_PUBLIC_PACKAGES,
	PROJECT_README_IMAGES,
	PROJECT_NETWORKS,
	PROJECT_QUOTA, /* of bytes, versions, crates */
	PROJECT_SETTINGS = PROJECT_QUOTA + 3 /* and on: the keys of berth.conf */
};
enum { REGISTRY_PROJECTS, REGISTRY_DEFAULT_PROJECT };
enum { MEMBER_LEVEL, MEMBER_EXPIRES };
enum { ALLOW_POLICIES };
enum { PROTECT_PUSH, PROTECT_DELETE };
enum { TRUST_CRATES, TRUST_OPERATIONS, TRUST_USER };

enum { PROVISION_NAMES_MAX = 3, PROVISION_KEYS_MAX = 40 };

/* What all functions need. */
struct provision {
	struct db *db;
	struct arena *arena;
	const struct audit_actor *actor;
	const struct settings *settings; /* NULL: there is no configuration */
	bool force; /* the last administrator or owner may go */
	/*
	 * NULL: a change that would remove the last administrator or owner fails.  Otherwise the change is
	 * made and *took_last becomes true; then call provision_check_last() after all changes.
	 */
	bool *took_last;
};

struct provision_thing {
	enum provision_kind kind;
	const char *names[PROVISION_NAMES_MAX];
	const char *values[PROVISION_KEYS_MAX]; /* NULL: no value is given; "": the value is empty */
	int64_t id;
};

enum provision_type {
	PROVISION_TEXT,
	PROVISION_BOOL, /* "true", "false" */
	PROVISION_SIZE, /* a number, or a text with a unit */
	PROVISION_SPACES, /* a list with blanks */
	PROVISION_COMMAS, /* a list with commas */
	PROVISION_DATE,
	PROVISION_OBJECT, /* JSON with texts */
	PROVISION_SETTING /* a key of berth.conf: a number, a text, or a list with blanks */
};

struct provision_key {
	const char *name;
	enum provision_type type;
	bool exact; /* in a name, case matters */
	bool is_crate; /* names are compared as names of crates are */
	bool required; /* a new object must have a value */
	const char *initial; /* of a new object for which no value is given; NULL: the kind decides */
	bool fixed; /* no command changes this value of an object that exists */
	const char *empty; /* what a value that is empty means; NULL: nothing, "-" */
};

extern const char *const provision_kind_names[PROVISION__MAX];

/* The keys of the names, and those of the values.  Behind the last index, the key's name is NULL. */
struct provision_key provision_name_key(enum provision_kind, size_t i);
struct provision_key provision_value_key(enum provision_kind, size_t i);

/* "GROUP/PROJECT PATTERN": the names, for people. */
const char *provision_names(struct arena *, const struct provision_thing *);

/*
 * Call it before the functions below.  It checks the values and brings them into the form that they have in
 * the database.  -1: 400.
 */
int provision_check(const struct provision *, struct provision_thing *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Looks for the object with these names.  If it exists, *found is true and *current gets all its values and
 * its id.  -1: 404 a name refers to another object, such as a project, that does not exist.
 */
int provision_find(const struct provision *, const struct provision_thing *wanted,
    struct provision_thing *current, bool *found, struct err *) __attribute__((warn_unused_result));

/* Makes the object, and fills in its id and the values that were not given.  -1: 400, 404, 409 it exists. */
int provision_create(const struct provision *, struct provision_thing *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Creates the object as provision_create() does.  With if_missing it leaves an existing object as it is: it
 * writes to standard error that the object exists and which values differ, and fills in its id and values.
 */
int provision_add(const struct provision *, struct provision_thing *, bool if_missing, struct err *)
    __attribute__((warn_unused_result));

/* Does `wanted` have a value for that key, and does the object have a different one? */
bool provision_differs(const struct provision_thing *wanted,
    const struct provision_thing *current, size_t key);

/*
 * Changes the values that differ; it needs a transaction.  -1: 409 no command can change that value, or the
 * last administrator or owner would go and `force` is not set.
 */
int provision_change(const struct provision *, const struct provision_thing *wanted,
    const struct provision_thing *current, struct err *) __attribute__((warn_unused_result));

/* Call it after changes that have set took_last.  -1: 409 no administrator or no other owner is left. */
int provision_check_last(const struct provision *, const struct provision_thing *, struct err *)
    __attribute__((warn_unused_result));

/* Sets the values that are given, for `user set`.  -1: 400, 404, 409 as provision_block_user(). */
int provision_set_user(const struct provision *, const struct provision_thing *, struct err *)
    __attribute__((warn_unused_result));

/* For `user block` and `unblock`.  -1: 404, 409 the user is the last administrator and `force` is not set. */
int provision_block_user(const struct provision *, const char *username, bool blocked, int64_t *id,
    struct err *)
    __attribute__((warn_unused_result));

#endif
