#ifndef ADMIN_PROJECT_ALLOW_H
#define ADMIN_PROJECT_ALLOW_H

/*
 * `berth project allow` and `berth project disallow`: the other projects and groups whose jobs a project
 * admits.
 */

#include "admin/command.h"
#include "admin/output.h"

enum { PROJECT_ALLOW_NKEYS = 2 };

/*
 * The keys of `berth project show`: the projects and groups whose jobs may read, and those whose jobs may
 * publish.
 */
extern const char *const project_allow_keys[PROJECT_ALLOW_NKEYS];

int project_allow(struct invocation *) __attribute__((warn_unused_result));
int project_disallow(struct invocation *) __attribute__((warn_unused_result));

/* The cells of these keys for a project; *n is 0 if the project admits only its own jobs.  -1: err. */
int project_allow_cells(struct invocation *, const char *project,
    struct cell cells[PROJECT_ALLOW_NKEYS], size_t *n) __attribute__((warn_unused_result));

#endif
