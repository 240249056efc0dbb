#ifndef CALL_CALL_VIEW_H
#define CALL_CALL_VIEW_H

/*
 * Finds the project that a request to the registry of a group is about.  A caller who may not read that
 * project gets the same answer as for a name that no project has.
 */

#include "call/call.h"

/* The name in the path, in normal form, of the crate that the request is about; NULL: there is none. */
const char *call_view_name(struct request *);

/*
 * Decides after call_look_up().  If the caller may do nothing in the project that has the name, the call is
 * about none from here on: its facts are those of the group, whose project_id is 0.  -1: as
 * access_decide(); 404 for a write to such a crate by a caller who may read in the group, since what they
 * may do depends on the project that has it; 401 for nobody, unless all crates of the group are public or
 * they ask from an address of `anonymous_networks`; 503.
 */
int call_view_decide(struct call *, struct request *) __attribute__((warn_unused_result));

/*
 * Call it when the name of a publish to the group is known and valid: the facts are then those of the project
 * that has the name, or of the group's default project.  -1: 503.
 */
int call_view_find(struct call *, struct request *, const char *normalized_name)
    __attribute__((warn_unused_result));

/*
 * Decides after call_view_find().  From here on the request is one to that project, and the call has its
 * policy.  group: its full path.  -1: 403 the caller may not publish there; 409 the name is new and the group
 * has no default project, or one without packages; 503.
 */
int call_view_enter(struct call *, struct request *, const char *group)
    __attribute__((warn_unused_result));

#endif
