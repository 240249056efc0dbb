#ifndef STORE_PACKAGE_VIEW_H
#define STORE_PACKAGE_VIEW_H

/*
 * The registry of a group: the crates of all projects below it, under one index URL.  Which project a name
 * stands for is the same for all callers, and the SQL function view_project() says it.  An index file is
 * that of the project, but for the registries of its dependencies: `null` is the registry of the group
 * there.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/db/db.h"
#include "store/namespace_ref.h"

/* Fills in the call: can everybody read all that the registry of the group has? */
void view_config_call(struct db_call *, int64_t group_id);
bool view_config_read(const struct db_call *);

/* Who has a name in the registry of a group. */
struct view_name {
	int64_t project_id; /* 0: no project has it */
	const char *crate; /* as it is spelled there; NULL: no project has it */
};

/*
 * Fills in, for each of n names in normal form, the project that has it.  `group` by id or by path; of one
 * that does not exist no project has any name.  -1: 503.
 */
int view_names(struct db *, struct arena *, const struct namespace_ref *group, const char *const *names,
    size_t n, struct view_name *, struct err *) __attribute__((warn_unused_result));

/* An index file. */
struct view_file {
	struct slice body; /* gzip */
	int64_t time; /* a hash of the body, as of crate_index */
};

/*
 * Makes the index file of a project's crate that of the group: a dependency on the project that has its
 * name in the group is one on the registry itself, and any other names the registry of its project.  Leaves a
 * file as it is that says the same in both.  `external_url` is the server's.  -1: 500, also for a file that
 * is longer than 64 MiB before it is compressed; 503.
 */
int view_file_of(struct db *, struct arena *, const char *external_url, int64_t group_id, int64_t project_id,
    struct view_file *, struct err *) __attribute__((warn_unused_result));

/* A crate that the registry of a group does not serve. */
struct view_shadow {
	const char *crate;
	const char *project; /* full path */
	const char *served; /* that of the project that has the name */
};

/* All of the group of that path.  A group that does not exist has none. */
int view_shadows(struct db *, struct arena *, const char *full_path, struct view_shadow **, size_t *n,
    struct err *) __attribute__((warn_unused_result));

#endif
