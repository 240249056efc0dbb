#ifndef ADMIN_PROVISION_PROJECT_POLICY_H
#define ADMIN_PROVISION_PROJECT_POLICY_H

/*
 * KEY=VALUE words for the keys of berth.conf for which a project may have its own value.  They are checked
 * as berth.conf is, and stored as they were given.
 */

#include "base/arena.h"
#include "base/err.h"

struct settings;

/*
 * Checks the value of such a key.  An empty value or `default` goes back to the configuration and becomes
 * "".  configured NULL: there is no configuration.  -1: 400, what is wrong with it.
 */
int project_policy_check(struct arena *, const struct settings *configured, const char *key,
    const char **value, struct err *) __attribute__((warn_unused_result));

/*
 * Makes the JSON object that project_set() takes from the words with such a key; NULL: no word has one.  It
 * skips other words.  -1: 400.
 */
int project_policy_change(struct arena *, const struct settings *configured, const char *const *words,
    size_t n, const char **json, struct err *) __attribute__((warn_unused_result));

/* The names of all such keys for a message: "max_crate_size, ...". */
const char *project_policy_keys(struct arena *);

#endif
