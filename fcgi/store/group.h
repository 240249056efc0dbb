#ifndef STORE_GROUP_H
#define STORE_GROUP_H

/* Groups, nested; paths are compared whatever their case. */

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/audit.h"
#include "store/db/db.h"

struct group {
	int64_t id;
	const char *full_path;
	int64_t parent_id; /* 0: none */
	int64_t created_at;
	const char *anonymous_networks; /* as of a project, for all projects below */
};

/*
 * The group of that path, below parents that exist.  -1: 400 for a malformed
 * path, 404 for a missing parent, 409 where a group or project has the path.
 */
int group_add(struct db *, struct arena *, const struct audit_actor *, const char *full_path,
    int64_t *id, struct err *) __attribute__((warn_unused_result));

/*
 * Inside a transaction: the group's id, its row locked, so that nobody else
 * makes anything below it.  -1: 404.
 */
int group_lock(struct db *, struct arena *, struct slice full_path, int64_t *id, struct err *)
    __attribute__((warn_unused_result));

/* Changes the networks.  -1: 404. */
int group_set(struct db *, struct arena *, const struct audit_actor *, const char *full_path,
    const char *anonymous_networks, struct err *) __attribute__((warn_unused_result));

/* All, by path. */
int group_list(struct db *, struct arena *, struct group **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
