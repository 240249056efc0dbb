#ifndef STORE_PACKAGE_VIEW_H
#define STORE_PACKAGE_VIEW_H

/*
 * The registry of a group: the crates of all projects below it, under one index URL.  A name stands for the
 * same project for all callers; the SQL function view_project() finds it.  An index file is that of the
 * project, except for the registries of its dependencies: there `null` means the registry of the group.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/db/db.h"
#include "store/namespace_ref.h"
#include "store/package/inventory.h"

/* Fills in the call: can everybody read all crates of the group's registry? */
void view_config_call(struct db_call *, int64_t group_id);
bool view_config_read(const struct db_call *);

/* The project that has a name in the registry of a group. */
struct view_name {
	int64_t project_id; /* 0: no project has it */
	const char *crate; /* as it is spelled there; NULL: no project has it */
	bool contested; /* another project of the group has a crate of that name, too */
};

/*
 * Fills in, for each of n names in normal form, the project that has it.  group: by id or by path; in a
 * group that does not exist, no project has any name.  -1: 503.
 */
int view_names(struct db *, struct arena *, const struct namespace_ref *group, const char *const *names,
    size_t n, struct view_name *, struct err *) __attribute__((warn_unused_result));

/* An index file. */
struct view_file {
	struct slice body; /* gzip */
	int64_t time; /* a hash of the body, as of crate_index */
};

/* A group's file is made from the project's and from this: which project there has each of its names. */
struct view_basis {
	const char *const *names; /* in normal form */
	const int64_t *projects; /* negative: contested; 0: no project has the name */
	size_t n;
};

/*
 * Turns the index file of a project's crate into that of the group: a dependency on the project that has
 * its name in the group becomes one on the registry itself, and so does one on a project of the group that no
 * longer has the crate, if just one other has it: the crate has moved.  Any other names the registry of its
 * project.  It leaves a file as it is if the two are equal.  -1: 500, also for a file of more than 64 MiB
 * of text; 503.
 */
int view_file_of(struct db *, struct arena *, const char *external_url, int64_t group_id, int64_t project_id,
    struct view_file *, struct view_basis *, struct err *) __attribute__((warn_unused_result));

/* *holds: the names still stand for these projects.  -1: 503. */
int view_basis_check(struct db *, struct arena *, int64_t group_id, const struct view_basis *, bool *holds,
    struct err *) __attribute__((warn_unused_result));

/*
 * Calls take() with each index file that the registry of a group sends, all as of one moment.  -1: as
 * view_file_of(), or the error of take().
 */
int view_indexes(struct db *, const char *external_url, int64_t group_id, inventory_index_fn *take, void *arg,
    struct err *) __attribute__((warn_unused_result));

/* A crate that the registry of a group does not serve. */
struct view_shadow {
	const char *crate;
	const char *project; /* full path */
	const char *served; /* the full path of the project that has the name */
};

/* Lists all such crates of the group with that path.  A group that does not exist has none.  -1: 503. */
int view_shadows(struct db *, struct arena *, const char *full_path, struct view_shadow **, size_t *n,
    struct err *) __attribute__((warn_unused_result));

#endif
