#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

/* Who did what, from where: one row for each change, in the transaction of the change. */

#include <stdint.h>

#include "store/db.h"

/* The caller of a request that changes something. */
struct audit_actor {
	int64_t user_id;
	int64_t token_id;
	const char *remote_addr;
	const char *request_id;
};

/* Fills in the call: "crate.publish", "crate.yank", "crate.unyank" of one version. */
void audit_version_call(struct db_call *, const struct audit_actor *, const char *action,
    int64_t project_id, const char *crate, const char *version);

#endif
