#ifndef STORE_FLAG_H
#define STORE_FLAG_H

/*
 * Feature flags: functions that can be switched off, or be on for some projects only.  A route names its
 * flag; where the flag is off, the route does not exist for anybody (access/access.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"

/* FLAG_NONE: no flag, always on.  A new one is a line here and one in flag.c. */
enum flag {
	FLAG_NONE,
	FLAG_CARGO, /* the registry: whatever cargo asks for */
	FLAG_SEARCH,
	FLAG_OWNERS,
	FLAG_PACKAGES_API,
	FLAG_SETTINGS_API,
	FLAG_TOKENS_API,
	FLAG_TRUSTED_PUBLISHING,
	FLAG_TOKEN_PAGE,
	FLAG_WEB_PAGES,
	FLAG_WRITES, /* no route names it: auth/call_guard.h asks for it */
	FLAG__MAX
};

struct flag_kind {
	const char *name; /* as in the database and on the command line */
	bool on; /* the default */
	bool server; /* it concerns no project: on or off for all */
	enum flag needs; /* off where that one is off */
	const char *about;
};

extern const struct flag_kind flag_kinds[FLAG__MAX]; /* not FLAG_NONE */

/*
 * Is the flag on for that project (0: for a request about no project)?  `rows`: the flags from the
 * statement of the facts (NULL: none are set): "name=percentage" for all projects, "name:percentage" for
 * this one.  A percentage always selects the same projects, and a greater one includes those of a smaller
 * one.
 */
bool flag_is_on(enum flag, const char *rows, int64_t project_id);

/* The same for a flag that concerns no project, for a caller without facts.  -1: 503. */
int flag_ask(struct db *, struct arena *, enum flag, bool *on, struct err *)
    __attribute__((warn_unused_result));

/* Finds the flag of that name.  -1: 400, with the names of all flags. */
int flag_find(const char *name, enum flag *, struct err *) __attribute__((warn_unused_result));

/* "on", "off", "25%".  -1: 400. */
int flag_parse_percentage(const char *, int *, struct err *) __attribute__((warn_unused_result));

/* For all, or for the project of that full path.  -1: 400, 404. */
int flag_set(struct db *, struct arena *, const struct audit_actor *, enum flag, int percentage,
    const char *project, struct err *) __attribute__((warn_unused_result));

/* Goes back to the default; no change where the flag is not set.  -1: 404 no such project. */
int flag_unset(struct db *, struct arena *, const struct audit_actor *, enum flag,
    const char *project, struct err *) __attribute__((warn_unused_result));

struct flag_row {
	const char *name; /* also of flags that this program does not know */
	int percentage;
	const char *project; /* full path; NULL: for all */
	int64_t changed_at;
};

int flag_list(struct db *, struct arena *, struct flag_row **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
