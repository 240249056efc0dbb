#ifndef API_CARGO_PUBLISH_UPLOAD_H
#define API_CARGO_PUBLISH_UPLOAD_H

/*
 * Reads the body of a publish in two steps: the metadata into memory, and then the crate into a
 * staging file.  Between them the publish can be refused by its metadata, before a large crate has cost
 * anything.
 */

#include "call/app.h"
#include "config/publish_policy.h"
#include "crate/frame.h"
#include "crate/package.h"
#include "store/blob/blob_stage.h"

struct upload {
	const struct publish_policy *policy; /* the policy of the publish */
	struct package metadata; /* as the client says; name and version are checked */
	struct package_id id; /* of the metadata */
	struct blob_staging *crate; /* whole and hashed, after the second step */
	/* the state of the body that is being read */
	struct frame frame;
	char *piece;
	struct slice rest; /* the rest of the piece */
	struct err failed; /* status 0 unless upload_read_ahead() failed */
};

/*
 * Reads the body up to the crate, whose length (frame.crate_len) is then known.  Parses the metadata, and
 * checks name and version.  The policy has the limits for all projects; no project exceeds them.  -1: 400,
 * 413, 503.
 */
int upload_read_metadata(struct request *, const struct publish_policy *, struct upload *)
    __attribute__((warn_unused_result));

/*
 * Checks the metadata and the length of the crate against the limits and the reserved names of the project's
 * policy.  -1: 400, 413.
 */
int upload_check_policy(struct request *, struct upload *) __attribute__((warn_unused_result));

/*
 * Reads the rest of the body if the crate is small, while it is still unknown whether the metadata is
 * accepted.  Call upload_read_crate() afterwards in any case: it reads a large crate, and returns the
 * error of this call.
 */
void upload_read_ahead(struct worker_app *, struct request *, struct upload *);

/* Reads the rest of the body.  -1: 400, 413, 503. */
int upload_read_crate(struct worker_app *, struct request *, struct upload *)
    __attribute__((warn_unused_result));

#endif
