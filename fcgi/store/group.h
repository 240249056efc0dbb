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
	/* the next two belong to its registry (store/package/view.h) */
	const char *registry_projects; /* full paths with blanks between: they go before other projects */
	const char *default_project; /* full path of the project that new names go to; "": none */
};

/* The new values of a group; NULL leaves a value as it is. */
struct group_change {
	const char *anonymous_networks;
	/* both: full paths or ids of projects below the group; "": none */
	const char *registry_projects;
	const char *default_project;
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

/* -1: 404, also for a project that is not below the group; 400 too many projects. */
int group_set(struct db *, struct arena *, const struct audit_actor *, const char *full_path,
    const struct group_change *, struct err *) __attribute__((warn_unused_result));

/* The group of that path.  *id 0: there is none. */
int group_find(struct db *, struct arena *, const char *full_path, int64_t *id, struct err *)
    __attribute__((warn_unused_result));

enum { GROUP_PROJECTS_MAX = 1000 };

/*
 * Finds the projects below the group that the words (full paths or ids, with blanks between) name: their
 * ids, and in *paths their full paths, with blanks between.  -1: as group_set().
 */
int group_find_projects(struct db *, struct arena *, const char *full_path, const char *words,
    int64_t ids[GROUP_PROJECTS_MAX], size_t *n, const char **paths, struct err *)
    __attribute__((warn_unused_result));

/* All, by path. */
int group_list(struct db *, struct arena *, struct group **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
