#ifndef ADMIN_PROJECT_POLICY_H
#define ADMIN_PROJECT_POLICY_H

/*
 * KEY=VALUE for the keys of the configuration that a project may have of its own.
 * They are checked as berth.conf is, and stored as they were given.
 */

#include "admin/command.h"

/*
 * The words of the command that have such a key, as the object that project_set() takes,
 * or NULL where there is none;
 * other words are left to the caller.  An empty value, or `default`, goes back to the
 * configuration.  -1: 400, what is wrong with a value.
 */
int project_policy_change(const struct invocation *, const char **json, struct err *)
    __attribute__((warn_unused_result));

/* "max_crate_size, ...": what there is, for people. */
const char *project_policy_keys(struct arena *);

#endif
