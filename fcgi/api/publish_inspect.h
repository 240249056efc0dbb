#ifndef API_PUBLISH_INSPECT_H
#define API_PUBLISH_INSPECT_H

/* Has berth-inspect look into a staged crate. */

#include "api/app.h"
#include "api/publish_intake.h"
#include "crate/package.h"

/*
 * What the manifest inside the crate says, of which everything must lie in the
 * folder NAME-VERSION of the metadata.  -1: 400, why the crate is refused;
 * 500 or 503 where the inspector died or did not finish in time: never a hung publish.
 */
int publish_inspect(struct worker_app *, struct request *, const struct intake *,
    struct package *manifest) __attribute__((warn_unused_result));

#endif
