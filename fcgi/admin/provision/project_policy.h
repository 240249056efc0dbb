#ifndef ADMIN_PROVISION_PROJECT_POLICY_H
#define ADMIN_PROVISION_PROJECT_POLICY_H

/*
 * KEY=VALUE for the keys of the configuration that a project may have of its own.
 * They are checked as berth.conf is, and stored as they were given.
 */

#include "base/arena.h"
#include "base/err.h"

struct settings;

/*
 * Checks the value of such a key.  An empty one, or `default`, goes back to the configuration and is "" then.
 * configured NULL: there is no configuration.  -1: 400, what is wrong with it.
 */
int project_policy_check(struct arena *, const struct settings *configured, const char *key,
    const char **value, struct err *) __attribute__((warn_unused_result));

/*
 * The words that have such a key, as the object that project_set() takes, or NULL where there is none;
 * other words are left to the caller.  -1: 400.
 */
int project_policy_change(struct arena *, const struct settings *configured, const char *const *words,
    size_t n, const char **json, struct err *) __attribute__((warn_unused_result));

/* "max_crate_size, ...": what there is, for people. */
const char *project_policy_keys(struct arena *);

#endif
