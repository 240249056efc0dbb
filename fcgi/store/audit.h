#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

/*
 * Who did what, from where: one row for each change, in the transaction of the
 * change, so that there is neither one without the other.  What changes nothing
 * leaves no row.  A row never holds a token or the digest of one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/db/db.h"

/* The actions that can be recorded.  A new one needs a line here and its name in audit.c. */
enum audit_action {
	AUDIT_CRATE_DELETE,
	AUDIT_CRATE_PUBLISH,
	AUDIT_CRATE_REPAIR,
	AUDIT_CRATE_STATUS,
	AUDIT_CRATE_YANK,
	AUDIT_CRATE_UNYANK,
	AUDIT_CRATE_UNDELETE,
	AUDIT_FLAG_SET,
	AUDIT_FLAG_UNSET,
	AUDIT_GROUP_CREATE,
	AUDIT_GROUP_SET,
	AUDIT_ISSUER_CREATE,
	AUDIT_ISSUER_REMOVE,
	AUDIT_ISSUER_SET,
	AUDIT_TASK_REMOVE,
	AUDIT_TASK_RETRY,
	AUDIT_MEMBER_SET,
	AUDIT_MEMBER_REMOVE,
	AUDIT_OWNER_ADD,
	AUDIT_OWNER_REMOVE,
	AUDIT_PROJECT_ALLOW,
	AUDIT_PROJECT_CREATE,
	AUDIT_PROJECT_DISALLOW,
	AUDIT_PROJECT_SET,
	AUDIT_PROJECT_UNPIN,
	AUDIT_PROTECTION_CHANGE,
	AUDIT_PROTECTION_CREATE,
	AUDIT_PROTECTION_REMOVE,
	AUDIT_QUOTA_SET,
	AUDIT_RETENTION_SET,
	AUDIT_SCHEMA_GRANT,
	AUDIT_SCHEMA_MIGRATE,
	AUDIT_STORE_ADOPT,
	AUDIT_STORE_CONFIRM,
	AUDIT_TOKEN_CREATE,
	AUDIT_TOKEN_KEY_CREATE,
	AUDIT_TOKEN_KEY_RETIRE,
	AUDIT_TOKEN_REUSE, /* a replaced token was shown again */
	AUDIT_TOKEN_REVOKE,
	AUDIT_TOKEN_ROTATE,
	AUDIT_TRUST_CREATE,
	AUDIT_TRUST_REMOVE,
	AUDIT_USER_BLOCK,
	AUDIT_USER_CREATE,
	AUDIT_USER_LINK,
	AUDIT_USER_SET,
	AUDIT_USER_SIGNIN,
	AUDIT_USER_SIGNOUT,
	AUDIT_USER_UNBLOCK,
	AUDIT_USER_UNPIN,
	AUDIT__MAX
};

/* "crate.publish" ...: as the database has them. */
extern const char *const audit_action_names[AUDIT__MAX];

bool audit_action_exists(struct slice name);

/* The system_user of what the worker does by itself: it applies retention policies. */
#define AUDIT_WORKER "berth-worker"

/* The caller of a request, or whoever runs berth(1); what is 0 or NULL is not known. */
struct audit_actor {
	int64_t user_id; /* 0: the token of no user */
	int64_t token_id;
	const char *remote_addr;
	const char *request_id;
	/* of the command; NULL: it was a request */
	const char *system_user;
	const char *sudo_user;
	const char *host;
	bool *changed; /* set by audit_add(): the command has changed something; NULL: nobody asks */
};

enum { AUDIT_FACTS_MAX = 12 };

/* One further fact about a change. */
struct audit_fact {
	const char *key;
	const char *value; /* NULL: the fact is left out */
	bool json; /* the value is JSON already */
};

struct audit_event {
	enum audit_action action;
	int64_t project_id; /* 0: of none */
	const char *crate;
	const char *version;
	const char *id_key; /* the key of `id` among the facts; NULL: `id` is no fact */
	int64_t id;
	struct audit_fact facts[AUDIT_FACTS_MAX]; /* up to a key that is NULL */
};

/* Facts of other types: a number, a moment in seconds since 1970, a list of words. */
struct audit_fact audit_fact_int(struct arena *, const char *key, int64_t n);
struct audit_fact audit_fact_time(struct arena *, const char *key, int64_t seconds);
struct audit_fact audit_fact_words(struct arena *, const char *key, const char *const *words,
    size_t n);

/* The facts, and what is known of the actor, as the JSON object that the row has. */
const char *audit_detail(struct arena *, const struct audit_actor *, const struct audit_event *);

/* Fills in the call that adds the row. */
void audit_call(struct db_call *, struct arena *, const struct audit_actor *,
    const struct audit_event *);

/* Inside a transaction: adds the row. */
int audit_add(struct db *, struct arena *, const struct audit_actor *, const struct audit_event *,
    struct err *) __attribute__((warn_unused_result));

/*
 * Runs `change` and, where it changed something, adds the row, in one transaction.  The
 * statement returns at most one row: the id of its object, and whether the object differs now.
 * The id goes into the event (unless it holds one already: that of a token which ends and may be
 * the actor's own).  Without an id_key the id is the project's.  Without a row it records
 * nothing, and the caller judges.
 */
int audit_change(struct db *, struct arena *, const struct audit_actor *, struct db_call *change,
    struct audit_event *, struct err *) __attribute__((warn_unused_result));

#endif
