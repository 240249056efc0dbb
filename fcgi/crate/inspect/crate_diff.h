#ifndef CRATE_INSPECT_CRATE_DIFF_H
#define CRATE_INSPECT_CRATE_DIFF_H

/*
 * How the files of two crates differ, for people who read it.  Both crates come as streams, the older one
 * first, and nothing is unpacked.  Of the older one the texts are kept, up to CRATE_DIFF_KEPT_MAX bytes; of
 * files that are longer than CRATE_DIFF_TEXT_MAX, and of those that come after so many bytes, only the
 * checksum.  The answer is what crate/inspect/diff_text.h reads.
 *
 * libgit2 has a diff of buffers as well.  It is larger than the inspector, and brings TLS, SSH and HTTP into
 * the one process that reads hostile bytes with as little as can be; and no caller can bound its time.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/inspect/job.h"

enum {
	CRATE_DIFF_FILES_MAX = 50000, /* of each crate: 413 above */
	CRATE_DIFF_TEXT_MAX = 256 << 10, /* bytes of a file that is compared by lines */
	CRATE_DIFF_KEPT_MAX = 96 << 20,
	CRATE_DIFF_LISTED_MAX = 1000, /* files that differ; those behind them are only counted, ... */
	CRATE_DIFF_NAMES_MAX = 64 << 10 /* ... and so are those whose paths are behind so many bytes */
};

enum crate_diff_side { CRATE_DIFF_OLD, CRATE_DIFF_NEW };

struct crate_diff;

/* Opens all that it needs, as inspect_new(); the job's kind is JOB_DIFF. */
struct crate_diff *crate_diff_new(struct arena *, const struct job *);

/*
 * Takes the next bytes of a crate; all of the old one come before the new one.  -1: 400 or 413, why there is
 * no answer, or 500.
 */
int crate_diff_push(struct crate_diff *, enum crate_diff_side, struct slice, struct err *)
    __attribute__((warn_unused_result));

/* No more bytes of that crate come.  -1: 400, it is damaged. */
int crate_diff_end(struct crate_diff *, enum crate_diff_side, struct err *)
    __attribute__((warn_unused_result));

/* After both have ended. */
struct slice crate_diff_answer(struct crate_diff *);

#endif
