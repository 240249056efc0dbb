#ifndef CALL_CALL_VIEW_H
#define CALL_CALL_VIEW_H

/*
 * The registry of a group: which project a request to it is about, and what callers learn of the others.
 * A caller who may not read the project that has a name gets what they get for a name that no project has.
 */

#include "call/call.h"

/* The name in the path, in normal form, of the crate that the request is about; NULL: there is none. */
const char *call_view_name(struct request *);

/*
 * Decides after call_look_up().  If the caller may do nothing in the project that has the name, the call is
 * about none from here on: its facts are those of the group, whose project_id is 0.  -1: as
 * access_decide(); 503.
 */
int call_view_decide(struct call *, struct request *) __attribute__((warn_unused_result));

/*
 * Call it where a publish to the group has told its name, a valid one: from here on the request is one to the
 * project that has the name, or to the group's default project, whose facts and policy the call has.  -1:
 * 403 the caller may not publish there; 409 the name is new and the group has no default project; 503.
 */
int call_view_enter(struct call *, struct request *, const char *normalized_name)
    __attribute__((warn_unused_result));

#endif
