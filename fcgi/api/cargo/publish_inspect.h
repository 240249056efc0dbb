#ifndef API_CARGO_PUBLISH_INSPECT_H
#define API_CARGO_PUBLISH_INSPECT_H

/*
 * Lets berth-inspect check a staged crate.  An inspection may take a CPU for seconds, and anybody with the
 * right to publish can cause many.  So only inspect_slots of them run at once, two of one user, job or
 * deploy token, with a lower priority than everything else.
 */

#include "api/cargo/publish_upload.h"
#include "call/call.h"
#include "crate/package.h"

/*
 * Waits for a slot, which publish_inspect() gives back.  -1: 503 none was free within 20
 * seconds.
 */
int publish_inspect_begin(struct call *, struct request *) __attribute__((warn_unused_result));

/* An inspection that has accepted the crate, and whose process may not have ended yet. */
struct publish_inspection;

/*
 * Checks the crate and reads the manifest in it.  All entries must lie in the folder NAME-VERSION of the
 * metadata.  -1: 400, why the crate is refused; 500 or 503 where the inspector died or did not finish in
 * time: never a hung publish.  0: the verdict accepts the crate; call publish_inspect_confirm() before you
 * commit anything.  If the publish is refused instead, the reset of the request's arena waits for the
 * process, and logs what it has written to standard error.
 */
int publish_inspect(struct call *, struct request *, const struct upload *, struct package *manifest,
    struct publish_inspection **) __attribute__((warn_unused_result));

/*
 * Waits until the process of the inspection, a struct publish_inspection, has ended, and checks that it
 * exited as for an accepted crate.  After it has returned 0, each later call returns 0 at once.  -1: 500,
 * 503.
 */
int publish_inspect_confirm(void *inspection, struct err *) __attribute__((warn_unused_result));

#endif
