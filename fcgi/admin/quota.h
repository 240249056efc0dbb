#ifndef ADMIN_QUOTA_H
#define ADMIN_QUOTA_H

/* KEY=VALUE for quotas, of projects and of groups, and what is printed of them. */

#include "admin/command.h"
#include "admin/output.h"
#include "store/package/quota.h"

enum { ADMIN_QUOTA_NKEYS = 2 * QUOTA__MAX };

/* "quota_bytes" ... "used_bytes" ... */
extern const char *const admin_quota_keys[ADMIN_QUOTA_NKEYS];

/* Is the word one of these keys, before its `=`? */
bool admin_quota_is_key(struct slice key);

/*
 * Sets what the words after the first say, if any does; others are left to the caller.  An
 * empty value, or `default`, is no limit.  -1: 400, before anything happened; 404.
 */
int admin_quota_check(struct invocation *) __attribute__((warn_unused_result));
int admin_quota_set(struct invocation *, struct err *) __attribute__((warn_unused_result));

/* What a project or group has: null where there is no quota. */
void admin_quota_cells(const struct quota *, size_t n, const char *namespace,
    struct cell cells[ADMIN_QUOTA_NKEYS]);

#endif
