#ifndef API_PUBLISH_INTAKE_H
#define API_PUBLISH_INTAKE_H

/* Takes the body of a publish in: metadata into memory, the crate into a staging file. */

#include "api/app.h"
#include "api/publish_policy.h"
#include "crate/package.h"
#include "store/blob.h"

struct intake {
	const struct publish_policy *policy; /* by which it was taken */
	struct package metadata; /* as the client says; name and version are checked */
	struct blob_staging *crate; /* whole, hashed */
};

/*
 * Reads the whole body.  The metadata's name and version are checked, and the caller's
 * limit is charged, before a byte of the crate is written.  -1: 400, 413, 429, 503.
 */
int intake_read(struct worker_app *, struct request *, const struct publish_policy *,
    struct intake *) __attribute__((warn_unused_result));

#endif
