#ifndef API_CARGO_VIEW_KEPT_H
#define API_CARGO_VIEW_KEPT_H

/*
 * Index files of a group that the pool sends, because nginx has no grant for the caller.  To make one takes
 * up to a hundred times as long as to send it, so the first worker that makes it keeps it
 * (cache/cache_extract.h), with the projects that have the names of its dependencies; a kept file counts
 * while they have them.
 */

#include "call/call.h"
#include "store/package/view.h"

/*
 * Turns the file of the call's project into that of the group (store/package/view.h), with what
 * replica_choose() names.  -1: 500, 503.
 */
int view_kept_file(struct call *, struct request *, struct view_file *)
    __attribute__((warn_unused_result));

#endif
