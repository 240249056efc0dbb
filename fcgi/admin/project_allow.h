#ifndef ADMIN_PROJECT_ALLOW_H
#define ADMIN_PROJECT_ALLOW_H

/* `berth project allow`, `berth project disallow`: jobs of which other projects may come in. */

#include "admin/command.h"
#include "admin/output.h"

enum { PROJECT_ALLOW_NKEYS = 2 };

/* What `project show` says of it: which projects and groups may read, which of those may publish. */
extern const char *const project_allow_keys[PROJECT_ALLOW_NKEYS];

int project_allow(struct invocation *) __attribute__((warn_unused_result));
int project_disallow(struct invocation *) __attribute__((warn_unused_result));

/* Those cells of a project; *n is 0 where nothing but its own jobs may.  -1: err. */
int project_allow_cells(struct invocation *, const char *project,
    struct cell cells[PROJECT_ALLOW_NKEYS], size_t *n) __attribute__((warn_unused_result));

#endif
