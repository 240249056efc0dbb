#ifndef ADMIN_QUOTA_H
#define ADMIN_QUOTA_H

/* The cells that commands print for the quotas of projects and groups. */

#include "admin/output.h"
#include "store/package/quota.h"

enum { ADMIN_QUOTA_NKEYS = 2 * QUOTA__MAX };

/* "quota_bytes" ... "used_bytes" ... */
extern const char *const admin_quota_keys[ADMIN_QUOTA_NKEYS];

/* The quotas and the usage of one project or group; null: there is no quota. */
void admin_quota_cells(const struct quota *, size_t n, const char *namespace,
    struct cell cells[ADMIN_QUOTA_NKEYS]);

#endif
